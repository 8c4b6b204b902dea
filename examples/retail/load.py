"""The loader: one transaction for each batch and tenant, so that a killed run is simply run again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from examples.retail import catalogue
from examples.retail.ahead import ahead
from examples.retail.models import Quarantine
from examples.retail.plain import stage_csv
from examples.retail.reader import BATCH_LINES, Input
from examples.retail.rules import (
    CASH,
    RECEIVABLE,
    REVENUE,
    Family,
    Kind,
    Line,
    document_number,
    is_stocked,
    product_code,
    tenant_of,
)
from examples.retail.sorting import Part, Sorted, sort_lines
from examples.retail.statements import as_csv, copy, run

from freehold import Database, Session
from freehold.events import Listener, Progress, ignore

ACTOR = "retail-loader"
CONNECTIONS = 2
"""Tenants loaded at once: one is far larger than the others together, which fit beside it."""
_QUARANTINE = ["tenant_id", "source_id", "line_no", "reason", "invoice_no", "stock_code", "description"]
_QUARANTINE += ["quantity", "invoiced_at", "unit_price", "customer_no"]


@dataclass(slots=True)
class LoadResult:
    """What a run did with each line of the input; loaded, quarantined and already_there add up to ``lines``."""

    lines: int
    loaded: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    already_there: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Run:
    """One batch on its way: the database, the file, the batch's number, and the connections that share the work."""

    db: Database
    source: Input
    number: int
    pool: ThreadPoolExecutor


@dataclass(frozen=True, slots=True)
class _Step:
    """What the transaction of one tenant and batch needs to know; ``traits`` as in ``plain.stage_csv``."""

    source: UUID
    batch: int
    tenant: UUID
    country: str
    traits: dict[str, tuple[int, bool, int]]


def load(db: Database, path: Path, listener: Listener = ignore, batch_lines: int = BATCH_LINES) -> LoadResult:
    """Load a Parquet file of invoice lines; what an earlier run committed is left as it is.

    Raises InputError, before anything is written, where the file is missing, damaged or of another shape.
    """
    started = time.monotonic()
    source = Input(path)
    source.verify(batch_lines)
    result = LoadResult(source.lines)
    known = db.run(catalogue.register, source, batch_lines, tenant=None, actor=ACTOR, workload="bulk")
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="retail-load") as pool:
        for number, batch in enumerate(ahead(map(sort_lines, source.batches(known.batch_lines)))):
            _load_batch(_Run(db, source, number, pool), batch, result)
            listener(Progress("lines", batch.last_line, source.lines))
    result.seconds = time.monotonic() - started
    return result


def _load_batch(this: _Run, batch: Sorted, result: LoadResult) -> None:
    """The catalogue first, then the tenants side by side, the largest first; all are done when this returns."""
    work = (this.source, this.number, batch.products)
    products = this.db.run(catalogue.follow, *work, tenant=None, actor=ACTOR, workload="bulk")
    traits = {fact.code: (products[fact.code], *_traits(fact.family)) for fact in batch.products}
    waiting = []
    for country, part in sorted(batch.parts.items(), key=lambda item: -item[1].loaded):
        step = _Step(this.source.id, this.number, tenant_of(country), country, traits)
        waiting.append((part, this.pool.submit(_load_tenant, this.db, step, part)))
    try:
        for part, done in waiting:
            _count(result, part, done.result())
    finally:
        for _, done in waiting:
            done.cancel()


def _load_tenant(db: Database, step: _Step, part: Part) -> bool:
    # Run again by itself after a deadlock or a lost connection; what was committed answers that it is there already.
    return db.run(_load_part, step, part, tenant=step.tenant, actor=ACTOR, workload="bulk")


def _traits(family: Family) -> tuple[bool, int]:
    return is_stocked(family), REVENUE[family]


def _count(result: LoadResult, part: Part, fresh: bool) -> None:
    if fresh:
        result.loaded += part.loaded
        result.quarantined.update(reason.value for reason, _ in part.quarantined)
    else:
        result.already_there += part.loaded + len(part.quarantined)


def _load_part(session: Session, step: _Step, part: Part) -> bool:
    """Load one tenant's lines; False where an earlier run has done so."""
    tenant = step.tenant
    run(session, "insert_country", tenant=tenant, name=step.country)
    counts = {"loaded": part.loaded, "quarantined": len(part.quarantined)}
    if not run(session, "insert_batch", tenant=tenant, source=step.source, batch=step.batch, **counts).rowcount:
        return False
    if part.loaded:
        run(session, "create_stage")
        copy(session, "copy_stage", *_stage(part, step))
        _distribute(session, tenant, part)
    if part.quarantined:
        session.copy_in(Quarantine, _QUARANTINE, _quarantine_rows(part, step))
    session.send("batch.loaded", {"country": step.country, "batch": step.batch, **counts}, key=step.country)
    return True


def _distribute(session: Session, tenant: UUID, part: Part) -> None:
    """From the stage into the tables; the order follows the foreign keys."""
    run(session, "insert_customers", tenant=tenant)
    run(session, "insert_orders", tenant=tenant)
    if part.has_credits:
        run(session, "insert_credits", tenant=tenant)
    run(session, "insert_stock", tenant=tenant)
    run(session, "insert_movements", tenant=tenant)
    run(session, "insert_ledger", tenant=tenant, cash=CASH, receivable=RECEIVABLE)


def _stage(part: Part, step: _Step) -> Iterator[bytes]:
    if part.sales is not None:
        yield stage_csv(part.sales, step.traits)
    yield as_csv(_stage_row(kind, line, step) for kind, line in part.others)


def _stage_row(kind: Kind, line: Line, step: _Step) -> tuple[Any, ...]:
    return (
        line.line_no,
        kind.value,
        document_number(line.invoice_no or ""),
        *step.traits[product_code(line.stock_code or "")],
        int(line.quantity or 0),
        line.unit_price,
        line.invoiced_at,
        None if line.customer_no is None else int(line.customer_no),
        line.description,
    )


def _quarantine_rows(part: Part, step: _Step) -> Iterator[tuple[Any, ...]]:
    for reason, line in part.quarantined:
        yield (
            step.tenant,
            step.source,
            line.line_no,
            reason.value,
            _storable(line.invoice_no),
            _storable(line.stock_code),
            _storable(line.description),
            line.quantity,
            line.invoiced_at,
            line.unit_price,
            line.customer_no,
        )


def _storable(text: str | None) -> str | None:
    return text if text is None else text.replace("\0", "\N{REPLACEMENT CHARACTER}")
