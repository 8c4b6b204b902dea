"""Jobs are queued by a tenant's transaction and run in one of the same tenant, by a real worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import AsyncDatabase, AsyncSession, Database, DataLayer, KeyRing, Outcomes, Roles, Session, Tenancy
from freehold.errors import InputError, JobForged, PrivilegeMissing
from freehold.frameworks.job_envelope import Envelope, opened
from freehold.frameworks.job_schema import install_jobs
from freehold.frameworks.procrastinate import Jobs, TenantTask, worker_connector
from freehold.operations import apply_layer, plan_layer, prove_layer
from freehold.runtime import Key
from freehold.testing.database import Database as Place

SECRET = bytes(range(32))
RING = KeyRing((Key("k1", SECRET),))
PASSWORD = "of a login"
ONE, TWO = UUID(int=1), UUID(int=2)
DEFER = (
    "SELECT procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW('default', %s, 0, NULL, NULL, %s, NULL)"
    "::procrastinate.procrastinate_job_to_defer_v1])"
)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Note(Base):
    __tablename__ = "note"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    text: Mapped[str]


def write_note(session: Session, text: str) -> None:
    """A task's work."""
    session.add(Note(text=text))


@dataclass
class Office:
    """The application, its tasks and its worker."""

    layer: DataLayer
    place: Place
    admin: psycopg.Connection[Any]
    db: Database
    jobs: Jobs
    note: TenantTask[Any]
    note_once: TenantTask[Any]

    def url(self, login: str) -> str:
        """The database for a login of the layer."""
        return self.place.url(user=f"{self.layer.name}_{login}", password=PASSWORD)

    def work(self) -> None:
        """Run what is queued, and end."""

        async def run() -> None:
            async with self.jobs.app.open_async():
                await self.jobs.app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)

        asyncio.run(run())

    @property
    def notes(self) -> list[tuple[UUID, str]]:
        """All tenants' notes."""
        rows = self.admin.execute("SELECT tenant_id, text FROM shop.note ORDER BY id")
        return [(row[0], row[1]) for row in rows]

    @property
    def states(self) -> list[str]:
        """The jobs' states."""
        return [row[0] for row in self.admin.execute("SELECT status FROM procrastinate.procrastinate_jobs ORDER BY id")]


def set_up(place: Place, name: str) -> tuple[DataLayer, psycopg.Connection[Any]]:
    """The layer applied, the queue installed, two tenants."""
    layer = DataLayer(Base.metadata, Tenancy(Company), Roles(), Outcomes(), name=name)
    admin = place.connect(autocommit=True)
    apply_layer(admin, layer.declared)
    admin.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    admin.execute("INSERT INTO shop.company (id) VALUES (%s), (%s)", (ONE, TWO))
    for login in ("app_a", "jobs"):
        role = sql.Identifier(f"{name}_{login}")
        admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(PASSWORD)))
    assert install_jobs(admin, name) is True
    return layer, admin


@pytest.fixture
def office(database: Place, layer_name: str) -> Iterator[Office]:
    layer, admin = set_up(database, layer_name)
    db = layer.connect(database.url(user=f"{layer_name}_app_a", password=PASSWORD), keys=RING)
    url = database.url(user=f"{layer_name}_jobs", password=PASSWORD)
    jobs = Jobs(procrastinate.App(connector=worker_connector(url)), RING)
    note = jobs.task(db, name="note")(write_note)
    note_once = jobs.task(db, name="note once", once=True)(write_note)
    yield Office(layer, database, admin, db, jobs, note, note_once)
    db.dispose()
    admin.close()


def test_a_job_runs_for_the_tenant_that_queued_it(office: Office) -> None:
    for tenant in (ONE, TWO):
        with office.db.transaction(tenant=tenant, actor="ana") as session:
            assert office.note.defer(session, {"text": f"of {tenant.int}"}) > 0
    assert office.notes == []
    office.work()
    assert office.notes == [(ONE, "of 1"), (TWO, "of 2")]
    assert office.states == ["succeeded", "succeeded"]


def test_a_rollback_queues_nothing(office: Office) -> None:
    with pytest.raises(ZeroDivisionError), office.db.transaction(tenant=ONE, actor="ana") as session:
        office.note.defer(session, {"text": "never"})
        raise ZeroDivisionError
    assert office.states == []


def test_the_transaction_keeps_its_search_path(office: Office) -> None:
    with office.db.transaction(tenant=ONE, actor="ana") as session:
        path = sa.select(sa.func.current_setting("search_path"))
        before = session.scalars(path).one()
        office.note.defer(session, {"text": "a"})
        assert session.scalars(path).one() == before
        session.add(Note(text="beside"))
    assert office.notes == [(ONE, "beside")]


def test_the_application_sees_no_job(office: Office) -> None:
    with office.place.connect(user=f"{office.layer.name}_app_a", password=PASSWORD, autocommit=True) as connection:
        for statement in (
            "SELECT * FROM procrastinate.procrastinate_jobs",
            "DELETE FROM procrastinate.procrastinate_jobs",
            "INSERT INTO procrastinate.procrastinate_jobs (queue_name, task_name) VALUES ('a', 'b')",
            "SELECT procrastinate.procrastinate_fetch_job_v2('{default}', 1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_job_that_the_application_did_not_sign_is_not_run(office: Office) -> None:
    forged = Envelope.of("note", str(TWO), "eve", {"text": "forged"})
    other = Envelope.of("note once", str(ONE), "ana", {"text": "of another task"})
    with office.place.connect(user=f"{office.layer.name}_app_a", password=PASSWORD, autocommit=True) as connection:
        for sealed in (
            forged.sealed(Key("k1", bytes(32))),
            forged.sealed(Key("k2", SECRET)),
            other.sealed(RING.keys[0]),
        ):
            connection.execute(DEFER, ("note", psycopg.types.json.Jsonb({"freehold": sealed})))
    office.work()
    assert office.states == ["failed"] * 3
    assert office.notes == []


def test_an_envelope_is_kept_to_the_letter() -> None:
    job = Envelope.of("t", "a", "ä", {"large": 1e300, "text": "\u2603", "float": 1.0})
    sealed = job.sealed(RING.keys[0])
    assert opened(RING, sealed, "t") == job
    for field, wrong in (("text", sealed["text"].replace('"a"', '"b"')), ("signature", ""), ("key_id", "k2")):
        with pytest.raises(JobForged):
            opened(RING, {**sealed, field: wrong}, "t")


def test_locks_are_the_tenants_own_and_a_taken_one_leaves_the_transaction_alive(office: Office) -> None:
    for tenant in (ONE, TWO):
        with office.db.transaction(tenant=tenant, actor="ana") as session:
            office.note.defer(session, {"text": "first"}, queueing_lock="import")
            with pytest.raises(procrastinate.exceptions.AlreadyEnqueued):
                office.note.defer(session, {"text": "second"}, queueing_lock="import")
            session.add(Note(text="goes on"))
    office.work()
    assert sorted(office.notes) == [(t, text) for t in (ONE, TWO) for text in ("first", "goes on")]


def test_a_job_that_is_run_again_writes_once(office: Office) -> None:
    with office.db.transaction(tenant=ONE, actor="ana") as session:
        office.note.defer(session, {"text": "plain"})
        office.note_once.defer(session, {"text": "once"})
    office.admin.execute("SET search_path = procrastinate")  # as the library's own trigger needs it
    for _ in range(2):
        office.work()
        # What a worker that died after its commit leaves behind, once the job is queued again.
        office.admin.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'todo'")
    assert sorted(text for _, text in office.notes) == ["once", "plain", "plain"]


def test_options_of_task_and_job_reach_the_queue(office: Office) -> None:
    later = office.jobs.task(office.db, name="later", queue="slow", priority=3)(write_note)
    with office.db.transaction(tenant=ONE, actor="ana") as session:
        later.defer(session, {"text": "a"}, schedule_in={"hours": 1}, lock="l")
    query = "SELECT queue_name, priority, lock, scheduled_at > now() FROM procrastinate.procrastinate_jobs"
    assert office.admin.execute(query).fetchall() == [("slow", 3, f"{ONE}:l", True)]


def test_a_job_without_a_tenant(office: Office) -> None:
    seen: list[Any] = []

    def look(session: Session) -> None:
        seen.append((session.tenant, session.context.actor))

    task = office.jobs.task(office.db, name="look")(look)
    with office.db.transaction(tenant=None, actor="night") as session:
        task.defer(session)
    office.work()
    assert seen == [(None, "night")]


def test_coroutines(office: Office) -> None:
    async def write(session: AsyncSession, text: str) -> None:
        session.add(Note(text=text))

    async def run() -> None:
        db: AsyncDatabase = await office.layer.connect_async(office.url("app_a"), keys=RING)
        task = office.jobs.task(db, name="async note", once=True)(write)
        async with db.transaction(tenant=TWO, actor="ana") as session:
            await task.defer_async(session, {"text": "a"})
            with pytest.raises(procrastinate.exceptions.AlreadyEnqueued):
                for _ in range(2):
                    await task.defer_async(session, {"text": "b"}, queueing_lock="one")
        async with office.jobs.app.open_async():
            async with db.transaction(tenant=TWO, actor="ana") as session:
                await task.defer_async(session, {"text": "c"})
            await office.jobs.app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
        await db.dispose()

    asyncio.run(run())
    assert office.notes == [(TWO, "a"), (TWO, "b"), (TWO, "c")]


def test_function_and_database_must_fit(office: Office) -> None:
    async def later(session: AsyncSession) -> None: ...

    with pytest.raises(InputError, match="do not fit"):
        office.jobs.task(office.db)(later)


def test_after_a_migration_the_rights_are_given_again(office: Office) -> None:
    reset = "ALTER FUNCTION procrastinate.procrastinate_defer_jobs_v1 SECURITY INVOKER RESET ALL"
    office.admin.execute(reset)
    with pytest.raises(PrivilegeMissing), office.db.transaction(tenant=ONE, actor="ana") as session:
        office.note.defer(session, {"text": "a"})
    assert install_jobs(office.admin, office.layer.name) is False
    with office.db.transaction(tenant=ONE, actor="ana") as session:
        office.note.defer(session, {"text": "b"})
    office.work()
    assert office.notes == [(ONE, "b")]


def test_the_layer_holds_beside_the_queue(office: Office) -> None:
    assert plan_layer(office.admin, office.layer.declared).steps == ()
    found = prove_layer(office.admin, office.layer.declared)
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
