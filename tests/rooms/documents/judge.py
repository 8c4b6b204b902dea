"""The functions of one schema in an empty database, and what they and the jsonschema library say of documents."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import jsonschema
from jsonschema.validators import validator_for

from freehold.kernel.names import Sql, trusted
from freehold.rooms.documents.functions import judge_definition
from freehold.rooms.documents.schema import schema_of
from tests.rooms.building import Connection


def judged(connection: Connection, schema: Any, texts: Iterable[str]) -> list[str | None]:
    """The violation of each document, given as JSON text; None where there is none."""
    parts = schema_of(schema)
    functions: dict[str, Sql] = {name: trusted(f"public.judge_{n}") for n, name in enumerate(parts.named)}
    with connection.transaction(force_rollback=True):
        for name, node in parts.named.items():
            connection.execute(judge_definition(functions[name], node, functions).encode())
        rows = connection.execute(
            "SELECT public.judge_0(t.document::jsonb, 0) FROM unnest(%s::text[]) WITH ORDINALITY AS t(document, n)"
            " ORDER BY n",
            (list(texts),),
        ).fetchall()
    return [row[0] for row in rows]


def allowed(connection: Connection, schema: Any, documents: Iterable[Any]) -> list[bool]:
    """Whether the database takes each document."""
    return [found is None for found in judged(connection, schema, map(json.dumps, documents))]


def expected(schema: Any, documents: Iterable[Any]) -> list[bool]:
    """Whether the jsonschema library takes each document."""
    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    checker = jsonschema.FormatChecker(formats=["date", "ipv4", "ipv6", "uuid"])
    validator = kind(_in_ascii(schema), format_checker=checker)
    return [validator.is_valid(document) for document in documents]


def _in_ascii(schema: Any) -> Any:
    """The schema for a library that reads patterns as Python does: ECMA-262's classes hold ASCII alone."""
    if not isinstance(schema, dict):
        return [_in_ascii(item) for item in schema] if isinstance(schema, list) else schema
    made = {key: value if key in {"enum", "const"} else _in_ascii(value) for key, value in schema.items()}
    if isinstance(made.get("pattern"), str):
        made["pattern"] = f"(?a:{made['pattern']})"
    if "patternProperties" in made:
        made["patternProperties"] = {f"(?a:{key})": value for key, value in made["patternProperties"].items()}
    return made
