"""What outcomes need: their table, the functions that reach it, the two roles those run as, and their rights."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.objects import (
    Column,
    Constraint,
    Grant,
    Index,
    Membership,
    Object,
    Owner,
    Role,
    Schema,
    Table,
    TableFacts,
)
from freehold.kernel.room import Scope
from freehold.rooms.outcomes.declare import Outcomes
from freehold.rooms.outcomes.functions import SCHEMA, outcome_functions

TABLE = "outcome"
COLUMNS = (
    ("owner", "text", True, ""),
    ("key", "text", True, ""),
    ("request_hash", "bytea", False, ""),
    ("state", "text", True, ""),
    ("result", "jsonb", False, ""),
    ("actor", "text", True, ""),
    ("transaction", "uuid", True, ""),
    ("epoch", "integer", True, "0"),
    ("created_at", "timestamp with time zone", True, "pg_catalog.clock_timestamp()"),
)
"""Name, type, NOT NULL, default.

The owner is the tenant's text, empty where no tenant is bound. The epoch counts how often the key was given up.
"""


def compile_outcomes(declaration: Outcomes, model: Model) -> Iterator[Object]:
    """The table of outcomes and its functions."""
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    yield from _roles(model)
    yield from _table()
    for made in outcome_functions(declaration):
        yield made.function
        yield Owner(on="function", target=made.function.name, role=model.role(made.owner), reason=made.function.reason)
        for purpose in made.executed_by:
            yield Grant(
                on="function",
                target=made.function.name,
                grantee=model.role(purpose),
                privileges=("EXECUTE",),
                reason=made.function.reason,
            )
    yield from _rights(model)


def scope_outcomes(declaration: Outcomes, model: Model) -> Iterator[Scope]:
    """A trigger on the table could change what became of a transaction."""
    yield Scope("trigger", (SCHEMA, TABLE))


def _roles(model: Model) -> Iterator[Object]:
    yield model.machine_role("definer", "owns the functions that write history; nobody acts as it")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    # It inherits: PostgreSQL 15 shows a standby's receiver only to a role that has the membership's rights by itself.
    reason = "owns the function that tells the server's position; nobody acts as it"
    yield Role(role=model.role("observer"), reason=reason)
    yield Membership(
        role="pg_read_all_stats",
        member=model.role("observer"),
        reason="a standby's newest timeline is in the statistics of its receiver",
    )


def _table() -> Iterator[Object]:
    reason = "what became of each keyed transaction"
    columns = tuple(
        Column(schema=SCHEMA, table=TABLE, column=name, type=kind, not_null=needed, default=default, reason=reason)
        for name, kind, needed, default in COLUMNS
    )
    facts = TableFacts(role="state", application=frozenset(), owner_column="owner")
    yield Table(schema=SCHEMA, table=TABLE, columns=columns, facts=facts, reason=reason)
    yield Constraint(
        schema=SCHEMA,
        table=TABLE,
        constraint="outcome_pkey",
        type="p",
        definition="PRIMARY KEY (owner, key)",
        columns=("owner", "key"),
        reason="a key has one outcome for each owner, whoever writes it first",
    )
    yield Constraint(
        schema=SCHEMA,
        table=TABLE,
        constraint="outcome_state_check",
        type="c",
        definition="CHECK (state IN ('committed', 'aborted'))",
        reason="an outcome is definite",
    )
    yield Index(
        schema=SCHEMA,
        table=TABLE,
        index="outcome_created_at_ix",
        definition="CREATE INDEX outcome_created_at_ix ON freehold.outcome USING brin (created_at)",
        reason="outcomes past their time are found without reading the others",
    )


def _rights(model: Model) -> Iterator[Object]:
    definer, reason = model.role("definer"), "the functions of the room run with these rights"
    yield Grant(on="schema", target=(SCHEMA,), grantee=definer, privileges=("USAGE",), reason=reason)
    yield Grant(
        on="table",
        target=(SCHEMA, TABLE),
        grantee=definer,
        privileges=("DELETE", "INSERT", "SELECT", "UPDATE"),
        reason=reason,
    )
