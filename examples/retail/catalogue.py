"""The shared tables: the chart of accounts, the input file, and the products, which follow the input batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

from examples.retail.reader import Input
from examples.retail.rules import chart
from examples.retail.sorting import ProductFact
from examples.retail.statements import as_csv, copy, run

from freehold import Session


@dataclass(frozen=True, slots=True)
class Registered:
    """A source as the database knows it: where its batches are cut, whatever this run would have chosen."""

    batch_lines: int
    batches_catalogued: int


def register(session: Session, source: Input, batch_lines: int) -> Registered:
    """Make the source and the chart of accounts known; a source known already keeps its first cut."""
    numbers, names = zip(*chart().items(), strict=True)
    run(session, "insert_accounts", numbers=list(numbers), names=list(names))
    run(
        session,
        "insert_source",
        source=source.id,
        sha256=source.sha256,
        lines=source.lines,
        batch_lines=batch_lines,
    )
    row = run(session, "read_source", source=source.id).one()
    return Registered(row.batch_lines, row.batches_catalogued)


def follow(session: Session, source: Input, batch: int, facts: list[ProductFact]) -> dict[str, int]:
    """Bring the products up to a batch, once; give the id of each product the batch names."""
    if run(session, "advance_source", source=source.id, batch=batch).rowcount:
        run(session, "create_catalogue_stage")
        rows = [(fact.code, fact.family.value, fact.description, fact.list_price) for fact in facts]
        copy(session, "copy_catalogue_stage", as_csv(rows))
        run(session, "update_products")
        run(session, "insert_products")
    found = run(session, "read_products", codes=[fact.code for fact in facts])
    return {row.code: row.id for row in found}
