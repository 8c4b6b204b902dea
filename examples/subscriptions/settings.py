"""The schema of an account's preferences, and how those of the first version become such of the second."""

from __future__ import annotations

from typing import Any

from freehold import Upgrade

PREFERENCES = {
    "type": "object",
    "required": ["language", "notices"],
    "additionalProperties": False,
    "properties": {
        "language": {"type": "string", "pattern": "^[a-z]{2}$"},
        "notices": {
            "type": "array",
            "items": {"enum": ["invoice", "usage", "security"]},
            "uniqueItems": True,
        },
    },
}

FIRST = {
    "type": "object",
    "required": ["language"],
    "properties": {"language": {"type": "string"}, "mail": {"type": "boolean"}},
}


def to_second(document: Any) -> Any:
    """The one switch of the first version became a list of what to write about."""
    notices = ["invoice", "usage", "security"] if document.get("mail", True) else ["security"]
    return {"language": document["language"][:2].lower(), "notices": notices}


UPGRADES = {1: Upgrade(FIRST, to_second)}
