"""Plans that are read, rehearsed, commented on and written for Alembic are the plans that run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from freehold import Backfill, Extra
from freehold.errors import InputError, PlanForeign, PlanStale, RehearsalStale, RevisionRefused, StepFailed
from freehold.kernel.compile import Declared
from freehold.kernel.objects import Index, Policy, RowSecurity
from freehold.kernel.plan_markdown import as_markdown
from freehold.operations import apply_layer, plan_layer
from freehold.planfile import read_plan, write_plan
from freehold.rehearsal import read_rehearsal, rehearse, write_rehearsal
from freehold.revision import write_revision
from freehold.testing.database import Database
from tests.kernel.sample import layer
from tests.kernel.test_online import ALWAYS, metadata, one

Connection = psycopg.Connection[Any]


def grown() -> Declared:
    """More than one kind of step: batches, an index, a guard."""
    data = metadata(sa.Column("note", sa.Text), sa.Column("domain", sa.Text, nullable=False))
    definition = "CREATE INDEX note_ix ON shop.customer USING btree (note)"
    return layer(
        data,
        Backfill(data.tables["shop.customer"], "domain", "it's: none"),
        Extra(
            Index(schema="shop", table="customer", index="note_ix", definition=definition),
            Policy(schema="shop", table="customer", policy="p", using="note <> 'a:b'"),
            RowSecurity(schema="shop", table="customer"),
        ),
    )


def filled(database: Database) -> Connection:
    connection = database.connect(autocommit=True)
    apply_layer(connection, layer(metadata()))
    connection.execute("INSERT INTO shop.customer (mail) SELECT 'c' || i FROM generate_series(1, 300) AS i")
    return connection


@pytest.fixture
def live(database: Database) -> Iterator[Connection]:
    with filled(database) as connection:
        yield connection


def test_a_reviewed_plan_runs_where_it_was_made(live: Connection, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(live, plan_layer(live, grown(), budget=ALWAYS), path)
    read = read_plan(path)
    live.execute("INSERT INTO shop.customer (mail) VALUES ('rows do not matter')")
    apply_layer(live, grown(), budget=ALWAYS, judge=read.refuse_unless_of)
    with pytest.raises(PlanStale, match="changed"):
        apply_layer(live, grown(), budget=ALWAYS, judge=read.refuse_unless_of)


def test_a_plan_whose_base_or_declaration_moved_is_refused(live: Connection, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(live, plan_layer(live, grown(), budget=ALWAYS), path)
    live.execute("ALTER TABLE shop.customer ALTER units SET DEFAULT 5")
    with pytest.raises(PlanStale, match="database has changed"):
        apply_layer(live, grown(), budget=ALWAYS, judge=read_plan(path).refuse_unless_of)
    live.execute("ALTER TABLE shop.customer ALTER units SET DEFAULT 1")
    other = layer(metadata(sa.Column("note", sa.Text)))
    fresh = replace(plan_layer(live, other, budget=ALWAYS), base=read_plan(path).base)
    with pytest.raises(PlanStale, match="declaration"):
        read_plan(path).refuse_unless_of(live, fresh)


def test_a_plan_for_another_database_is_refused(
    live: Connection, make_database: Callable[..., Database], tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    write_plan(live, plan_layer(live, grown(), budget=ALWAYS), path)
    with filled(make_database("other")) as other, pytest.raises(PlanForeign):
        apply_layer(other, grown(), budget=ALWAYS, judge=read_plan(path).refuse_unless_of)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 9}', '{"format": 1, "layer": "x"}'])
def test_what_is_no_plan(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    with pytest.raises(InputError):
        read_plan(path)
    path.write_text(content)
    with pytest.raises(InputError):
        read_plan(path)
    with pytest.raises(InputError):
        read_rehearsal(path)


def test_a_rehearsal_tells_locks_and_holds_the_live_run_to_them(
    live: Connection, make_database: Callable[..., Database], tmp_path: Path
) -> None:
    path = tmp_path / "rehearsal.json"
    with filled(make_database("copy")) as copy:
        write_rehearsal(rehearse(live, copy, grown(), budget=ALWAYS), path)
        assert one(copy, "SELECT count(*) FROM shop.customer WHERE domain = 'it''s: none'") == 300
    assert one(live, "SELECT count(*) FROM pg_attribute WHERE attname = 'domain'") == 0, (
        "the live database is as it was"
    )
    trial = read_rehearsal(path)
    locks = {step.title: dict(step.locks) for step in trial.steps}
    assert locks["add column shop.customer.note"] == {"shop.customer": "AccessExclusiveLock"}
    assert locks["fill column shop.customer.domain"] == {"shop.customer": "ShareUpdateExclusiveLock"}
    apply_layer(live, grown(), budget=ALWAYS, judge=trial.refuse_unless_like, ceilings=trial.ceilings)


def test_a_live_database_unlike_the_rehearsed_is_refused(
    live: Connection, database: Database, make_database: Callable[..., Database]
) -> None:
    with filled(make_database("copy")) as copy:
        trial = rehearse(live, copy, grown(), budget=ALWAYS)
        with pytest.raises(RehearsalStale, match="another plan"):
            rehearse(live, copy, grown(), budget=ALWAYS)
    smaller = replace(trial, sizes=dict.fromkeys(trial.sizes, -(10**9)))
    with pytest.raises(RehearsalStale) as refused:
        apply_layer(live, grown(), budget=ALWAYS, judge=smaller.refuse_unless_like)
    assert "shop.customer has" in refused.value.detail
    with pytest.raises(RehearsalStale) as refused:
        apply_layer(live, layer(metadata(sa.Column("x", sa.Text))), judge=trial.refuse_unless_like)
    assert "another one" in refused.value.detail


def test_a_step_that_takes_longer_than_it_may_is_stopped(live: Connection) -> None:
    slow = Extra(Policy(schema="shop", table="customer", policy="p", using="id > 0"))
    live.execute(
        "CREATE FUNCTION public.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); END $$;"
        "CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE POLICY') EXECUTE FUNCTION public.slow()"
    )
    with pytest.raises(StepFailed) as refused:
        apply_layer(live, layer(metadata(), slow), ceilings={1: 0.2})
    assert "57014" in refused.value.detail


def test_the_comment_names_what_a_reader_must_see(live: Connection) -> None:
    apply_layer(live, grown(), budget=ALWAYS)
    fewer = metadata()
    text = as_markdown(plan_layer(live, layer(fewer), budget=ALWAYS))
    assert "**Guards become weaker:**" in text
    assert "Waits for `freehold contract`" in text
    assert "drop column shop.customer.note" in text
    assert "````sql" in text


def environment(folder: Path, url: str) -> Path:
    """An Alembic environment with a history of its own."""
    config = Config(str(folder / "alembic.ini"))
    command.init(config, str(folder / "migrations"))
    ini = folder / "alembic.ini"
    text = ini.read_text().replace("driver://user:pass@localhost/dbname", url.replace("%", "%%"))
    ini.write_text(text)
    command.revision(Config(str(ini)), "what was there before", rev_id="aaaa")
    return ini


def test_a_revision_runs_after_the_history_that_is_there(live: Connection, database: Database, tmp_path: Path) -> None:
    url = database.url().replace("postgresql://", "postgresql+psycopg://", 1)
    ini = environment(tmp_path, url)
    command.upgrade(Config(str(ini)), "head")
    path = write_revision(plan_layer(live, grown(), budget=ALWAYS), ini, "grown")
    assert "down_revision" in path.read_text()
    assert "'aaaa'" in path.read_text()
    command.upgrade(Config(str(ini)), "head")
    assert plan_layer(live, grown(), budget=ALWAYS).due(contract=False) == ()
    assert one(live, "SELECT count(*) FROM shop.customer WHERE domain = 'it''s: none'") == 300
    assert one(live, "SELECT qual FROM pg_policies WHERE policyname = 'p'") == "(note <> 'a:b'::text)"
    with pytest.raises(RevisionRefused):
        write_revision(plan_layer(live, grown(), budget=ALWAYS), ini, "again")
    command.downgrade(Config(str(ini)), "aaaa")
    assert one(live, "SELECT count(*) FROM pg_attribute WHERE attname = 'domain' AND NOT attisdropped") == 0


def test_no_environment(live: Connection, tmp_path: Path) -> None:
    with pytest.raises(RevisionRefused):
        write_revision(plan_layer(live, grown(), budget=ALWAYS), tmp_path / "alembic.ini", "x")


def test_a_plan_file_is_readable(live: Connection, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(live, plan_layer(live, grown(), budget=ALWAYS), path)
    content = json.loads(path.read_text())
    assert content["database"] == live.info.dbname
    assert {"title", "sql", "lock", "stage", "seconds"} <= set(content["steps"][0])
