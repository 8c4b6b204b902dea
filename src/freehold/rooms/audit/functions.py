"""The functions that write entries: one for each kind of statement on each audited table, two for administration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, shortened
from freehold.kernel.objects import Function, Key, Table
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.audit.declare import Audit

PACKAGE = __package__ or ""
SCHEMA = "freehold"
EVENTS: dict[str, tuple[LiteralString, LiteralString]] = {
    "insert": ("AFTER INSERT", "REFERENCING NEW TABLE AS fresh "),
    "update": ("AFTER UPDATE", "REFERENCING OLD TABLE AS gone NEW TABLE AS fresh "),
    "delete": ("AFTER DELETE", "REFERENCING OLD TABLE AS gone "),
    "truncate": ("BEFORE TRUNCATE", ""),
}
"""When each trigger fires; only before a TRUNCATE is there anything to measure."""


@dataclass(frozen=True)
class Audited:
    """One audited table."""

    table: Table
    key: tuple[str, ...]
    hidden: tuple[str, ...]

    @classmethod
    def of(cls, declaration: Audit, model: Model, name: tuple[str, str]) -> Audited:
        """The table of a declaration."""
        table = model.table(*name)
        return cls(table, model.primary_key(table), declaration.hidden(name))

    @property
    def title(self) -> str:
        """What entries call it."""
        return f"{self.table.schema}.{self.table.table}"

    def name(self, verb: str) -> str:
        """The name of one of its functions."""
        return shortened(f"audit_{verb}_{self.table.table}", 60) + "_v1"

    def function(self, verb: str) -> Sql:
        """The quoted, qualified name of one of its functions."""
        return qualified(self.table.schema, self.name(verb))

    def owner(self, alias: LiteralString) -> Sql:
        """The tenant of a row, as text."""
        column = self.table.facts.tenant_column
        return ddl("{}.{}::text", ddl(alias), ident(column)) if column else ddl("NULL::text")

    def key_of(self, alias: LiteralString) -> Sql:
        """The key of a row as a JSON object."""
        pairs = (ddl("{}, {}.{}", literal(name), ddl(alias), ident(name)) for name in self.key)
        return ddl("pg_catalog.jsonb_build_object({})", joined(pairs))

    @property
    def masked(self) -> Sql:
        """An array of the hidden columns."""
        return ddl("ARRAY[{}]::text[]", joined(literal(name) for name in self.hidden))

    @property
    def same_key(self) -> Sql:
        """The condition that an old and a new row are one."""
        return joined((ddl("o.{0} = n.{0}", ident(name)) for name in self.key), " AND ")


def common_functions() -> Iterator[Function]:
    """What refuses changes of entries, what records an operator's act, and what hides values."""
    yield _function(
        SCHEMA, "refuse_audit_change_v1", fill(PACKAGE, "create_refuse_audit_change"), "recorded things stay"
    )
    yield _function(
        SCHEMA,
        "record_action_v1",
        fill(PACKAGE, "create_record_action", author=_author()),
        "records what an operator did by Freehold",
        arguments="text, text, text, jsonb",
        returns="bigint",
        definer=True,
    )


def table_functions(audited: Audited) -> Iterator[Function]:
    """One function for each kind of statement."""
    holes = {
        "author": _author(),
        "title": literal(audited.title),
        "hidden": audited.masked,
    }
    new = {"owner": audited.owner("n"), "key": audited.key_of("n")}
    old = {"owner": audited.owner("o"), "key": audited.key_of("o")}
    kinds: dict[str, dict[str, Sql]] = {
        "insert": new,
        "delete": old,
        "update": {
            "old_owner": old["owner"],
            "old_key": old["key"],
            "new_owner": new["owner"],
            "new_key": new["key"],
            "same_key": audited.same_key,
            "matched": ddl("o.{}", ident(audited.key[0])),
            "found": ddl("n.{}", ident(audited.key[0])),
        },
        "truncate": {},
    }
    for verb, more in kinds.items():
        used = {name: hole for name, hole in holes.items() if verb != "truncate" or name != "hidden"}
        text = fill(PACKAGE, f"create_audit_{verb}", function=audited.function(verb), **used, **more)
        reason = f"records {verb.upper()} of {audited.title}"
        yield _function(audited.table.schema, audited.name(verb), text, reason, definer=True)


def admin_functions() -> Iterator[tuple[Function, str]]:
    """The functions of the two event triggers, and their events."""
    for event in ("ddl_command_end", "sql_drop"):
        text = fill(PACKAGE, f"create_audit_{event}", author=_author())
        reason = "records changes of the database's form and rights"
        yield _function(SCHEMA, f"audit_{event}_v1", text, reason, returns="event_trigger", definer=True), event


def _author() -> Sql:
    return Sql(read_sql(PACKAGE, "author").rstrip())


def _function(
    schema: str,
    name: str,
    definition: Sql,
    reason: str,
    *,
    arguments: str = "",
    returns: str = "trigger",
    definer: bool = False,
) -> Function:
    return Function(
        schema=schema,
        function=name,
        arguments=arguments,
        definition=definition,
        returns=returns,
        definer=definer,
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (schema,)),),
    )
