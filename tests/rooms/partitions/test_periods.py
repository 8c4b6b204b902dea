"""What happens as time goes on: periods come before they begin and leave after their time, whatever comes between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from freehold import versions_of
from freehold.errors import CheckViolated, PartitionInUse, PartitionMissing, PartitionNotExported
from freehold.operations import plan_layer, prove_layer
from freehold.rooms.partitions import export
from freehold.rooms.partitions.runtime import partitions_of, retire

from .conftest import Built
from .layer import NOW, ONE, TWO, Event, Item, day


def test_every_partition_is_guarded_and_recorded(make_built: Callable[..., Built]) -> None:
    built = make_built(heard=True)
    assert plan_layer(built.connection, built.layer.declared).steps == ()
    wrong = [v for v in prove_layer(built.connection, built.layer.declared) if v.verdict != "held"]
    assert wrong == []


def test_the_application_writes_where_there_is_a_period(make_built: Callable[..., Built]) -> None:
    built = make_built(heard=True)
    db = built.connect()
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.add_all(Event(at=day(number), id=2) for number in range(29, 34))
        session.add(Item(id=2))
    for lost in (day(20), day(40)):
        with pytest.raises(PartitionMissing) as refused, db.transaction(tenant=ONE, actor="ann") as session:
            session.add(Event(at=lost, id=3))
        assert refused.value.table == "shop.event"
        assert "--maintain" in refused.value.hint
    with pytest.raises(PartitionMissing), db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.update(Event).where(Event.id == 2).values(at=day(40)))
    with pytest.raises(CheckViolated) as check, db.transaction(tenant=ONE, actor="ann") as session:
        session.add(Event(at=day(30), id=3, units=0))
    assert not isinstance(check.value, PartitionMissing)
    with db.transaction(tenant=ONE, actor="ann", read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == 1 + 5
        assert session.scalar(sa.select(sa.func.count()).select_from(versions_of(Event))) == 1 + 5
    db.dispose()


def test_periods_come_and_leave(built: Built) -> None:
    for number in (29, 31, 33):
        built.add(day(number), number)
    built.clock.now = NOW + timedelta(days=2)
    assert built.extend() == ["event_p2026_04_03", "event_p2026_04_04"]
    plan = plan_layer(built.connection, built.layer.declared)
    assert (plan.steps, plan.strangers) == ((), ()), "what is past its time is no plan's business"
    assert retire(built.connection, built.events) == ["event_p2026_03_28", "event_p2026_03_29"]
    assert built.moments() == [day(30), day(30), day(31), day(33)]
    assert built.extend() == []
    assert retire(built.connection, built.events) == []
    assert built.unheld() == []
    assert plan_layer(built.connection, built.layer.declared).steps == ()


def test_what_else_changed_waits_for_a_plan(built: Built) -> None:
    built.connection.execute("DROP POLICY freehold_select ON shop.item")
    built.clock.now = NOW + timedelta(days=1)
    assert built.extend() == ["event_p2026_04_03"]
    assert [str(step.key) for step in plan_layer(built.connection, built.layer.declared).steps] == [
        "policy shop.item.freehold_select"
    ]


def test_a_hand_that_is_missing_on_a_partition_is_seen(built: Built) -> None:
    built.connection.execute("ALTER TABLE shop.event_p2026_03_30 DISABLE ROW LEVEL SECURITY")
    (step,) = plan_layer(built.connection, built.layer.declared).steps
    assert str(step.key) == "row_security shop.event_p2026_03_30"


def test_exported_before_it_is_dropped(either: Built, tmp_path: Path) -> None:
    for number in range(5):
        either.add(day(28), number, TWO)
    either.clock.now = NOW + timedelta(days=2)
    done, empty = retire(either.connection, either.events)
    assert empty == "event_p2026_03_29"
    assert isinstance(done, export.Exported)
    assert (done.rows, done.partition) == (5, "event_p2026_03_28")
    rows = pq.read_table(tmp_path / "old" / done.file).to_pylist()
    assert {(row["tenant_id"], row["at"], row["twice"]) for row in rows} == {(str(TWO), day(28), 2)}
    noted = [json.loads(line) for line in (tmp_path / "old" / "manifest.jsonl").read_text().splitlines()]
    assert [(line["rows"], line["sha256"]) for line in noted] == [(5, done.sha256)]
    if either.heard:
        ended = "SELECT count(*) FROM shop.event_history WHERE ended_operation = 'DELETE' AND valid_to < 'infinity'"
        assert either.connection.execute(ended.encode()).fetchone() == (5,)
    either.extend()
    wrong = [v.promise for v in prove_layer(either.connection, either.layer.declared) if v.verdict != "held"]
    assert wrong == [], "history agrees with the table"


def test_nothing_is_dropped_that_could_not_be_exported(
    make_built: Callable[..., Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = make_built(tmp_path)
    built.add(day(28))
    built.clock.now = NOW + timedelta(days=1)
    write = export._write
    with monkeypatch.context() as patched:
        patched.setattr(export, "_write", lambda *given: write(*given) + 1)
        with pytest.raises(PartitionNotExported):
            retire(built.connection, built.events)
    assert built.connection.execute("SELECT count(*) FROM shop.event_p2026_03_28").fetchone() == (1,)
    assert next(found.detached for found in partitions_of(built.connection, built.events))
    (done,) = retire(built.connection, built.events)
    assert isinstance(done, export.Exported)
    assert done.rows == 1


def test_a_period_that_rows_refer_to_stays(built: Built) -> None:
    built.add(day(28))
    built.connection.execute("INSERT INTO shop.remark (tenant_id, event_id, at) VALUES (%s, 1, %s)", (ONE, day(28)))
    built.clock.now = NOW + timedelta(days=1)
    with pytest.raises(PartitionInUse) as refused:
        retire(built.connection, built.events)
    assert "event_p2026_03_28" in refused.value.message
    built.connection.execute("DELETE FROM shop.remark")
    assert retire(built.connection, built.events) == ["event_p2026_03_28"]


def test_a_reader_holds_a_period_for_a_while(built: Built) -> None:
    """The reader goes on, and so do those that come after it; what was half detached is finished by the next run."""
    built.add(day(28))
    built.clock.now = NOW + timedelta(days=1)
    with built.place.connect() as reader:
        reader.execute("SELECT count(*) FROM shop.event")
        with pytest.raises(PartitionInUse):
            retire(built.connection, built.events)
        assert built.moments() == [day(30), day(30)]
    assert next(found.pending for found in partitions_of(built.connection, built.events))
    assert retire(built.connection, built.events) == ["event_p2026_03_28"]


@pytest.mark.parametrize("step", ["DELETE", "COMMENT", "DETACH", "DROP"])
def test_a_run_that_is_cut_short_is_finished(
    either: Built, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built = either
    if step == "DELETE" and not built.heard:
        step = "COMMENT"  # nothing is deleted where nobody hears of it
    built.add(day(28))
    built.clock.now = NOW + timedelta(days=1)
    execute = psycopg.Connection.execute

    def cut(connection: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if f" {step}" in f" {query.as_string() if hasattr(query, 'as_string') else query}":
            raise KeyboardInterrupt
        return execute(connection, query, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", cut)
        with pytest.raises(KeyboardInterrupt):
            retire(built.connection, built.events)
    (done,) = retire(built.connection, built.events)
    assert pq.read_table(tmp_path / "old" / "event_p2026_03_28.parquet").num_rows == 1
    assert (done.partition if isinstance(done, export.Exported) else done) == "event_p2026_03_28"
    assert built.extend() == ["event_p2026_04_03"]
    assert built.unheld() == []


def test_bounds_do_not_follow_the_session(built: Built) -> None:
    built.connection.execute("SET timezone = 'Pacific/Kiritimati'")
    assert plan_layer(built.connection, built.layer.declared).steps == ()
    built.clock.now = NOW + timedelta(days=1)
    assert built.extend() == ["event_p2026_04_03"]
    assert retire(built.connection, built.events) == ["event_p2026_03_28"]
