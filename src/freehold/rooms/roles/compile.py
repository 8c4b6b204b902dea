"""From the declaration to roles, owners and grants, and what the room answers for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from freehold.errors import DeclarationError
from freehold.kernel.model import Model
from freehold.kernel.objects import Function, Object, Role
from freehold.kernel.room import Scope
from freehold.rooms.roles.cast import cast_objects
from freehold.rooms.roles.declare import Roles
from freehold.rooms.roles.rights import layer_schemas, owner_objects, right_objects

_PINNED = re.compile(r"search_path\s*(?:=|to)\s*[^\n;]*\bpg_temp\b", re.IGNORECASE)
"""The temporary schema is searched first unless it is named, and must be named last."""


def compile_roles(declaration: Roles, model: Model) -> Iterator[Object]:
    """The cast of roles, one owner of everything, and the least rights on each table and column.

    Raises
    ------
    DeclarationError
        A function takes its caller's ``search_path``, or ``writes`` names a table that needs no such leave.
    """
    _refuse_open_search_path(model)
    _refuse_needless_writes(declaration, model)
    yield from cast_objects(declaration, model)
    yield from owner_objects(model)
    yield from right_objects(declaration, model)


def scope_roles(declaration: Roles, model: Model) -> Iterator[Scope]:
    """Memberships and settings of the layer's roles; grants and functions in its schemas."""
    for role in model.of_kind(Role):
        yield Scope("membership", (role.role,))
        yield Scope("setting", (role.role,))
        yield Scope("default_privilege", (role.role,))
    yield Scope("grant", ("database",))
    for schema in layer_schemas(model):
        for on in ("schema", "table", "column", "sequence", "function"):
            yield Scope("grant", (on, schema))
        yield Scope("function", (schema,))


def _refuse_open_search_path(model: Model) -> None:
    for function in model.of_kind(Function):
        if not _PINNED.search(function.definition):
            raise DeclarationError(
                f"{function.title} takes its caller's search_path, or lets the temporary schema come first",
                detail="Whoever calls it could put an operator, table or type of his own in front of those it means.",
                hint="Write SET search_path = pg_catalog, pg_temp into its definition, and qualify every other name.",
            )


def _refuse_needless_writes(declaration: Roles, model: Model) -> None:
    for schema, name in sorted(declaration.written):
        role = model.table(schema, name).facts.role
        if role not in {"shared", "exempt"}:
            raise DeclarationError(
                f"Roles(writes=...) names {schema}.{name}, which is no shared or exempt table",
                detail="The application may write tenant-owned tables by itself.",
                hint="Take it out of writes; narrow rights with Roles(columns=...).",
            )
