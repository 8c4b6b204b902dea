"""Loading a slice of the real file: nothing lost, nothing doubled, and the business's constraints hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from examples.retail.layer import DAILY_REVENUE
from examples.retail.load import load
from examples.retail.models import Customer, OrderLine, Posting, Product, Stock
from examples.retail.reconcile import held, reconcile
from examples.retail.rules import Reason, tenant_of

from freehold import Database, read_report
from freehold.errors import CheckViolated, DataRefused
from freehold.events import Event, Progress
from freehold.rooms.history import versions_of
from freehold.runtime.literal import sql
from tests.examples.conftest import BATCH
from tests.examples.shop import Shop

UK = tenant_of("United Kingdom")


def test_a_slice_reconciles_to_the_penny(db: Database, slice_: Path) -> None:
    seen: list[Event] = []
    result = load(db, slice_, seen.append, BATCH)
    lines = pq.read_metadata(slice_).num_rows
    assert result.loaded + sum(result.quarantined.values()) == result.lines == lines
    assert set(result.quarantined) == {Reason.BAD_DEBT, Reason.SUB_PENNY, Reason.SERVICE_ADJUSTMENT}
    assert seen[-1] == Progress("lines", lines, lines)
    assert len(seen) >= 4
    reckoning = reconcile(db, slice_)
    assert reckoning.faults == []
    assert reckoning.found.lines == lines


def test_the_reckoning_sees_a_lost_line_and_a_lost_penny(loaded: Shop, loaded_db: Database, slice_: Path) -> None:
    loaded.ask("DELETE FROM retail.quarantine WHERE reason = 'bad-debt adjustment' AND unit_price > 0 RETURNING 1")
    loaded.ask("UPDATE retail.stock SET on_hand = on_hand + 1 RETURNING 1")
    faults = [fault for fault in reconcile(loaded_db, slice_).faults if fault.startswith("United Kingdom")]
    assert ["lines came" in faults[0], " is there" in faults[1], "sum of its movements" in faults[2]] == [True] * 3


def test_a_second_run_changes_nothing(loaded: Shop, loaded_db: Database, slice_: Path) -> None:
    before = loaded.contents()
    again = load(loaded_db, slice_, batch_lines=BATCH // 3)
    assert again.already_there == again.lines
    assert loaded.contents() == before


def test_receipts_do_not_depend_on_where_batches_are_cut(loaded: Shop, shop: Shop, db: Database, slice_: Path) -> None:
    load(db, slice_)
    stock = (
        "SELECT tenant_id, code, on_hand, (SELECT sum(m.quantity) FROM retail.stock_movement AS m WHERE m.kind ="
        " 'receipt' AND m.tenant_id = s.tenant_id AND m.product_id = s.product_id)"
        " FROM retail.stock AS s JOIN retail.product AS p ON p.id = s.product_id ORDER BY 1, 2"
    )
    assert loaded.ask(stock) == shop.ask(stock)


def test_a_tenant_sees_its_own_rows_alone(loaded_db: Database) -> None:
    with loaded_db.transaction(tenant=tenant_of("France"), actor="test", read_only=True) as session:
        assert set(session.scalars(sa.select(OrderLine.tenant_id))) == {tenant_of("France")}
        assert session.scalar(sql("SELECT count(*) FROM retail.order_line WHERE tenant_id = :uk"), {"uk": UK}) == 0


def test_product_history_shows_what_changed_and_who_did_it(loaded_db: Database) -> None:
    versions = versions_of(Product)
    changed = sa.select(versions.id).group_by(versions.id).having(sa.func.count() > 1)
    with loaded_db.transaction(actor="test", read_only=True) as session:
        found = session.scalars(sa.select(versions).where(versions.id.in_(changed))).all()
        assert found
        assert {getattr(version, "actor") for version in found} == {"retail-loader"}  # noqa: B009 - a history column


def test_an_entry_that_does_not_balance_is_refused_at_commit(loaded_db: Database) -> None:
    with pytest.raises(DataRefused) as refused, loaded_db.transaction(tenant=UK, actor="test") as session:
        posting = session.scalars(sa.select(Posting).limit(1)).one()
        posting.amount += Decimal("0.01")
        session.flush()
    assert refused.value.sqlstate == "23000"


def test_stock_never_falls_below_zero(loaded_db: Database) -> None:
    with pytest.raises(CheckViolated) as refused, loaded_db.transaction(tenant=UK, actor="test") as session:
        session.execute(sa.update(Stock).values(on_hand=Stock.on_hand - 1_000_000))
    assert refused.value.constraint == "stock_on_hand_ck"


def test_the_report_agrees_with_the_lines(loaded_db: Database) -> None:
    with loaded_db.transaction(tenant=UK, actor="test") as session:
        answer = read_report(session, DAILY_REVENUE)
    assert answer.fresh
    assert sum(row.net for row in answer.rows) == held(loaded_db, "United Kingdom").traded


def test_a_tenant_that_nobody_knows_has_no_customers(loaded_db: Database) -> None:
    with loaded_db.transaction(tenant=UUID(int=0), actor="test", read_only=True) as session:
        assert session.scalars(sa.select(Customer)).all() == []
