"""The names that a rule's objects have, and the table that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, name_of, table_of
from freehold.kernel.dialect import DDL
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, literal, qualified, shortened, trusted
from freehold.kernel.objects import Column, Function, Grant, Key, Object, Owner, Policy, Table, Trigger
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill
from freehold.rooms.constraints.declare import Rule

PACKAGE = __package__ or ""


@dataclass(frozen=True)
class Place:
    """A rule's table in the model.

    Parameters
    ----------
    suffix
        What it is called where the declaration gives no name.
    """

    rule: Rule
    model: Model
    suffix: str

    @property
    def table(self) -> Table:
        """The table."""
        return self.model.table(*self.rule.table)

    @property
    def label(self) -> str:
        """What the rule is called on its table."""
        return self.rule.name or self.suffix

    @property
    def tenant(self) -> tuple[str, ...]:
        """The tenant column, where there is one."""
        column = self.table.facts.tenant_column
        return (column,) if column else ()

    @property
    def witness(self) -> str:
        """The column that tells a probe's rows apart: the tenant's, or the key's first where no tenant owns them."""
        return self.tenant[0] if self.tenant else self.model.primary_key(self.table)[0]

    @property
    def name(self) -> str:
        """The rule's name: its constraint's or trigger's, and what errors say."""
        return shortened(f"{self.table.table}_{self.label}")

    def with_tenant(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """The columns, the tenant's first."""
        return (*self.tenant, *(column for column in columns if column not in self.tenant))

    def column(self, name: str) -> Column:
        """A column of the table, as the model has it."""
        return column_in(self.model, self.table, name)

    def function(
        self, verb: str, reason: str, holes: Mapping[str, Sql], *, of: str = "", definer: bool = True
    ) -> Function:
        """A trigger function of the rule; a definer's is not stopped by what the caller may not read.

        ``of`` tells those of one template apart.
        """
        title = "_".join(part for part in (verb, of, self.table.table, self.label) if part)
        name = shortened(title, 60) + "_v1"
        definition = fill(PACKAGE, f"create_{verb}", function=qualified(self.table.schema, name), **holes)
        return Function(
            schema=self.table.schema,
            function=name,
            definition=definition,
            returns="trigger",
            definer=definer,
            settings=PINNED,
            reason=reason,
            after=(Key("schema", (self.table.schema,)),),
        )

    def trigger(self, verb: str, text: Sql, reason: str, table: Table | None = None) -> Trigger:
        """A trigger of the rule, on its own table unless another is given; ``text`` follows the trigger's name."""
        on, name = table or self.table, shortened(f"freehold_{self.label}_{verb}")
        return Trigger(
            schema=on.schema,
            table=on.table,
            trigger=name,
            definition=ddl("CREATE {} {} {}", trusted(_kind(text)), ident(name), text),
            reason=reason,
        )

    def told(self) -> dict[str, Sql]:
        """What an error of the rule names."""
        return {"schema": literal(self.table.schema), "table": literal(self.table.table), "rule": literal(self.name)}


def _kind(text: Sql) -> str:
    """A trigger that waits for COMMIT is a constraint trigger."""
    return "CONSTRAINT TRIGGER" if " DEFERRABLE " in text else "TRIGGER"


def column_in(model: Model, table: Table, name: str) -> Column:
    """A column of a table, as the model has it."""
    found = model.objects.get(Key("column", (*table.name, name)))
    if not isinstance(found, Column):
        raise DeclarationError(
            f"Table {table.schema}.{table.table} has no column {name}", hint="Name a column of the model."
        )
    return found


def condition(where: Any) -> Sql:
    """A declared condition over one table's columns; true where there is none."""
    if where is None:
        return ddl("true")
    return ddl("({})", trusted(str(DDL.sql_compiler.process(where, include_table=False, literal_binds=True))))


def owned(function: Function, model: Model) -> tuple[Object, ...]:
    """A function with the role whose rights it runs with."""
    if not function.definer:
        return (function,)
    owner = Owner(on="function", target=function.name, role=model.role("definer"), reason=function.reason)
    return (function, owner)


def readable(table: Table, model: Model, reason: str, *privileges: str) -> tuple[Object, ...]:
    """The definer's way to the rows of every tenant."""
    definer = model.role("definer")
    rights: tuple[Object, ...] = (
        Grant(on="schema", target=(table.schema,), grantee=definer, privileges=("USAGE",), reason=reason),
        Grant(on="table", target=table.name, grantee=definer, privileges=privileges, reason=reason),
    )
    if not table.facts.tenant_column or "SELECT" not in privileges:
        return rights
    rule = Policy(
        schema=table.schema,
        table=table.table,
        policy="freehold_rules",
        command="SELECT",
        roles=(definer,),
        using="true",
        reason=reason,
    )
    return (*rights, rule)


def reference(rule: Rule, child: Entity, parent: Entity, via: tuple[str, ...]) -> sa.ForeignKeyConstraint:
    """The foreign key that a rule goes along, from child to parent.

    Raises
    ------
    DeclarationError
        None leads there, or several do and the declaration does not say which.
    """
    target = table_of(parent)
    found = [
        key
        for key in table_of(child).foreign_key_constraints
        if key.referred_table is target and set(via) <= set(key.column_keys)
    ]
    if len(found) != 1:
        start, end = (".".join(name_of(table)) for table in (child, parent))
        raise DeclarationError(
            f"{type(rule).__name__} on {rule.title} needs one foreign key, and finds {len(found)}",
            detail=f"from {start} to {end}",
            hint="Declare the foreign key, or say via=(...) with the columns of the one that is meant.",
        )
    return found[0]
