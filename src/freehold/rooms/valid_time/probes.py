"""Attacks on the promise that one row holds at a time."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident, idents, joined, literal
from freehold.kernel.objects import Column
from freehold.kernel.room import Affects, Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.valid_time.compile import constraint_name, whole_key
from freehold.rooms.valid_time.declare import ValidTime

PACKAGE = __package__ or ""
REPLAYED = "SET LOCAL session_replication_role = 'replica'"
"""Constraints are attacked, and not what triggers do before them."""


def probe_valid_time(declaration: ValidTime, model: Model) -> Iterator[Probe]:
    """Every attack on one table."""
    table = model.table(*name_of(declaration.entity))
    key, during = whole_key(declaration, model), ident(declaration.during)
    witness = table.facts.tenant_column or key[0]
    rows_in = (table.schema, table.table, witness)
    same = joined((ddl("a.{0} = b.{0}", ident(name)) for name in key), " AND ")
    yield Probe(
        promise=f"{declaration.title} has its key over time, valid",
        subject=table.key,
        attack=fill(
            PACKAGE,
            "read_key",
            table=literal(table.sql),
            constraint=literal(constraint_name(declaration, table)),
        ),
        expect=Returns(((True, True),)),
    )
    yield Probe(
        promise=f"no two rows of {declaration.title} hold at one time for one key",
        subject=table.key,
        attack=fill(PACKAGE, "count_overlaps", base=table.sql, during=during, same=same),
        expect=Returns(((0,),)),
    )
    yield Probe(
        promise=f"the key over time of {declaration.title} stops a row that holds while another does",
        subject=table.key,
        attack=fill(
            PACKAGE,
            "insert_copy",
            base=table.sql,
            columns=idents(
                column.column
                for column in model.of_kind(Column)
                if column.table_key == table.key and not column.generated
            ),
            tenant=ident(witness),
            constraint=ident(constraint_name(declaration, table)),
        ),
        expect=Affects(0),
        prepare=(REPLAYED,),
        rows_in=rows_in,
    )
    yield Probe(
        promise=f"a row of {declaration.title} that never holds is refused",
        subject=table.key,
        attack=fill(PACKAGE, "empty_row", base=table.sql, during=during, tenant=ident(witness)),
        expect=Raises("23514"),
        prepare=(REPLAYED,),
        rows_in=rows_in,
    )
