"""What the user writes: that known defects of the server matter, and which of them are accepted, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from freehold.advisories import ADVISORIES, NEEDS
from freehold.errors import DeclarationError

WEAKEST = "read committed"


@dataclass(frozen=True)
class Versions:
    """The server has no known defect that makes a declared promise false.

    Parameters
    ----------
    accept
        Advisories that are accepted, by identifier, each with the reason.
    isolation
        The strictest level that the application's workloads ask for: "read committed", "repeatable read" or
        "serializable".

    >>> Versions(accept={"CVE-2026-116311": "no login of the application may run DROP OWNED BY"}).isolation
    'read committed'
    """

    accept: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    isolation: str = WEAKEST

    def __post_init__(self) -> None:
        known = {each.identifier for each in ADVISORIES}
        for identifier, reason in self.accept.items():
            if identifier not in known:
                raise DeclarationError(
                    f"Versions(accept=...) names {identifier!r}, which is no advisory",
                    hint="Write an identifier as `freehold prove` prints it.",
                )
            if not reason.strip():
                raise DeclarationError(
                    f"Versions(accept=...) gives no reason for {identifier}",
                    hint="Say why the defect does no harm here, for whoever reads it next.",
                )
        if self.isolation != WEAKEST and self.isolation not in NEEDS:
            raise DeclarationError(
                f"Versions(isolation={self.isolation!r}) is not an isolation level",
                hint=f"Choose one of: {', '.join((WEAKEST, *NEEDS))}.",
            )
