"""Only SQL text that stands in code runs: what sql() accepts, and what an engine refuses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql as composed
from sqlalchemy import orm

from freehold.errors import InputError, SqlNotLiteral
from freehold.runtime import AsyncDatabase, Database
from freehold.runtime.literal import Sql, Template, Written, reviewed_sql, sql, sql_column, sql_file
from freehold.runtime.refusal import only_literals, refuse_unwritten
from tests.rooms.tenancy.layer import A, Base, Customer
from tests.runtime.conftest import Shop

AT_THE_TOP = "SELECT 'at the top'"
STATEMENT = sql("SELECT 'made at the top'")
EVIL = "SELECT 1; DROP TABLE shop.customer"


@pytest.fixture
def engine(shop: Shop) -> Iterator[sa.Engine]:
    """An engine with nothing of the runtime but the refusal."""
    made = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(shop.url()))
    only_literals(made)
    yield made
    made.dispose()


def outside(text: str) -> Any:
    """What mypy is not told: this text came from somewhere."""
    return text


def test_literals_of_the_caller_are_accepted(engine: sa.Engine) -> None:
    # Not inside an assert: pytest takes expressions apart there, and no constant is folded.
    folded = sql("SELECT " + "'folded'")
    no_hole = sql(f"SELECT 'no hole'")  # noqa: F541
    with engine.connect() as connection:
        assert connection.scalar(sql("SELECT 41 + 1")) == 42
        assert connection.scalar(folded) == "folded"
        assert connection.scalar(no_hole) == "no hole"
        assert connection.scalar(STATEMENT) == "made at the top"
        assert connection.scalar(sql("SELECT CAST(:n AS integer) * 2").bindparams(n=4)) == 8
        assert connection.scalar(sql("SELECT CAST(:n AS integer) * 2"), {"n": 5}) == 10
        assert connection.scalar(sql("SELECT 'a%b' LIKE '%'")) is True
        assert [connection.scalar(sql(text)) for text in ("SELECT 1", "SELECT 2")] == [1, 2]
        assert (lambda: connection.scalar(sql("SELECT 'in a lambda'")))() == "in a lambda"
        columns = sql("SELECT 7 AS seven").columns(sa.column("seven", sa.Integer))
        assert connection.scalar(sa.select(columns.subquery().c.seven + 1)) == 8


def test_a_nested_functions_literal_is_its_own() -> None:
    def inner() -> object:
        return sql("SELECT 'a text of the inner function'")

    assert str(inner()) == "SELECT 'a text of the inner function'"
    text = "SELECT 'a text of the outer function'"

    def borrows() -> object:
        return sql(text)

    with pytest.raises(SqlNotLiteral):
        borrows()


@pytest.mark.parametrize(
    "make",
    [
        lambda: sql(f"SELECT {outside(EVIL)}"),
        lambda: sql("SELECT %s" % outside(EVIL)),  # noqa: UP031
        lambda: sql("SELECT {}".format(outside(EVIL))),  # noqa: UP032
        lambda: sql("SELECT 1 " + outside(EVIL)),
        lambda: sql(outside("".join(["SELECT ", "1"]))),
        lambda: sql(outside(str(b"SELECT 1 AS n", "ascii"))),
        lambda: sql(AT_THE_TOP),
        lambda: Sql(outside("SELECT 1 AS m")),
        lambda: sql_column(outside(EVIL)),
        lambda: reviewed_sql(outside("a".upper().lower() + "b"), "SELECT 1", reason="it is read", by="ana"),
    ],
)
def test_texts_made_at_run_time_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(SqlNotLiteral) as caught:
        make()
    assert "freehold.sql()" in caught.value.hint


def test_an_equal_text_from_outside_is_refused() -> None:
    """The text must be the constant itself."""
    literal = "SELECT a FROM b"
    same = "".join(list(literal))
    assert sql("SELECT a FROM b") is not None
    assert same == literal
    with pytest.raises(SqlNotLiteral):
        sql(outside(same))


def test_composed_objects_are_accepted(engine: sa.Engine) -> None:
    name = composed.Identifier("a:b")
    query = composed.SQL("SELECT {value}::text AS {name}, {other}").format(
        value=composed.Literal("it's :x"), name=name, other=composed.Placeholder("n")
    )
    with engine.connect() as connection:
        row = connection.execute(sql(query), {"n": "five"}).one()
    assert (row._mapping["a:b"], row[1]) == ("it's :x", "five")
    with pytest.raises(InputError):
        sql(composed.SQL("SELECT {}").format(composed.Placeholder()))


def test_values_of_a_template_become_parameters(engine: sa.Engine) -> None:
    class Hole:
        value = EVIL

    template: Any = Template
    if sys.version_info < (3, 14):
        statement = sql(template("SELECT ", Hole(), "::text"))
    else:
        statement = sql(eval("t'SELECT {value}::text'", {"value": EVIL}))
    with engine.connect() as connection:
        assert connection.scalar(statement) == EVIL


def test_a_file_of_a_package_is_accepted(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        pid, _ = connection.execute(sql_file("freehold.runtime", "sql/read_backend.sql")).one()
        assert pid > 0
    for name in ("../errors.py", "/etc/passwd", "sql/../sql/read_backend.sql", "sql\\read_backend.sql"):
        with pytest.raises(InputError):
            sql_file("freehold.runtime", name)


def test_a_reviewed_exception_runs_under_its_name(engine: sa.Engine) -> None:
    text = " ".join(["SELECT", "current_query()"])
    statement = reviewed_sql("ledger repair", text, reason="generated by a tool that was read", by="ana")
    assert statement.review is not None
    assert statement.review.by == "ana"
    with engine.connect() as connection:
        assert "/* reviewed: ledger repair */" in str(connection.scalar(statement))
    with pytest.raises(InputError):
        reviewed_sql("*/ DROP", text, reason="none", by="nobody")


REFUSED: list[Callable[[], Any]] = [
    lambda: sa.text("SELECT 1"),
    lambda: sa.select(sa.text(EVIL)),
    lambda: sa.select(Customer.email).where(sa.text("true")),
    lambda: sa.select(Customer).from_statement(sa.text(EVIL)),
    lambda: sa.select(sa.literal_column("1; DROP TABLE x")),
    lambda: sa.select(sa.literal_column("'a' || 'b'")),
    lambda: sa.select(Customer.email).prefix_with("ALL"),
    lambda: sa.select(Customer.email).suffix_with("FOR UPDATE"),
    lambda: sa.select(Customer.email).with_statement_hint("; DROP TABLE x"),
    lambda: sa.select(sa.extract("year FROM now()) --", sa.func.now())),
    lambda: sa.select(Customer.email.op("= 'x' OR 1 =")("y")),
    lambda: sa.select(Customer.email.op("--")("y")),
    lambda: sa.select(
        Customer.email.op("IS NULL UNION SELECT secret FROM accounts WHERE name IS NOT DISTINCT FROM")("y")
    ),
    lambda: sa.select(Customer.email.op("COLLATE")("y")),
    lambda: sa.select(sa.column(sa.quoted_name("a FROM b; --", False))),
    lambda: sa.select(Customer).where(sa.exists(sa.text("SELECT 1"))),
    lambda: sa.insert(Customer).values(tenant_id=None, email=sa.text("'x'")),
    lambda: sa.DDL("DROP TABLE shop.customer"),  # type: ignore[no-untyped-call]
]


@pytest.mark.parametrize("make", REFUSED)
def test_texts_of_unknown_origin_are_refused(engine: sa.Engine, make: Callable[[], Any]) -> None:
    with engine.connect() as connection, pytest.raises(SqlNotLiteral):
        connection.execute(make())


def test_what_sqlalchemy_writes_itself_passes(engine: sa.Engine) -> None:
    statements = [
        sa.select(sa.func.count()).select_from(Customer),
        sa.select(sa.func.count("*")),
        sa.select(sa.exists().where(Customer.id == 1)),
        sa.select(Customer.email).where(Customer.email.contains("%")).order_by("email"),
        sa.select(sa.extract("year", sa.func.now())),
        sa.select(sa.literal("a").op("~")("b"), sa.literal("a").regexp_match("b")),
        sa.select(sa.literal("a").op("SIMILAR TO")("b"), sa.func.now().op("at time zone")("UTC")),
        sa.select(sa.literal("a").is_distinct_from("b"), sa.literal("a").op("IS NOT DISTINCT FROM")("b")),
        sa.select(sa.literal_column("'infinity'"), sa.literal_column("1"), sa.null(), sa.true()),
        sa.select(Customer).where(Customer.id.in_([])),
        sa.select(sa.cast(sa.literal("1"), sa.Integer).label("n")).order_by(sa.desc("n")),
        sa.update(Customer).where(Customer.id == -1).values(email=Customer.email + "x"),
    ]
    with orm.Session(engine) as session:
        raw = session.connection().connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        for statement in statements:
            try:
                session.execute(statement)
            except sa.exc.DBAPIError:
                # Without a context the server refuses what touches a tenant's table; it was compiled and sent.
                raw.rollback()
        with session.begin_nested():
            assert session.scalar(sa.select(sa.literal(1))) == 1


def test_a_checked_statement_in_the_cache_does_not_open_the_door(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sql("SELECT 3")) == 3
        with pytest.raises(SqlNotLiteral):
            connection.execute(sa.text("SELECT 3"))
        assert connection.scalar(sql("SELECT 3")) == 3


def test_a_cached_statement_is_not_judged_again(engine: sa.Engine) -> None:
    statement = sql("SELECT 5")
    with engine.connect() as connection:
        connection.execute(statement)
        cached = len(engine._compiled_cache or ())
        for _ in range(5):
            connection.execute(statement)
        assert len(engine._compiled_cache or ()) == cached


def test_strings_for_the_driver_are_refused(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        with pytest.raises(SqlNotLiteral):
            connection.exec_driver_sql("SELECT 1")
        assert connection.exec_driver_sql(Written("SELECT 1")).scalar() == 1


def test_defaults_in_sql_pass_only_as_literals(engine: sa.Engine) -> None:
    rows = sa.table("nowhere", sa.column("a"))
    assert "now()" in str(sa.insert(rows).values(a=sa.func.now()).compile(engine))
    with pytest.raises(SqlNotLiteral):
        sa.insert(rows).values(a=sa.text("now()")).compile(engine)


def test_loading_relationships_and_metadata_needs_no_text(engine: sa.Engine) -> None:
    """Every table of the layer is selected, inserted into and deleted from as SQLAlchemy writes it."""
    for table in Base.metadata.sorted_tables:
        for statement in (sa.select(table), sa.insert(table), sa.delete(table)):
            assert str(statement.compile(engine))


async def _async_refusal(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place)
    async with db.transaction(tenant=A, actor="ana") as session:
        assert await session.scalar(sql("SELECT 1")) == 1
        with pytest.raises(SqlNotLiteral):
            await session.execute(sa.text("SELECT 1"))
    await db.dispose()


def test_the_runtimes_own_transactions_refuse(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.scalar(sql("SELECT 1")) == 1
        with pytest.raises(SqlNotLiteral):
            session.execute(sa.text("SELECT 1"))
        with pytest.raises(SqlNotLiteral):
            session.connection().exec_driver_sql("SELECT 1")
        assert session.scalar(sql("SELECT 2")) == 2
    with pytest.raises(SqlNotLiteral), db.core(tenant=A, actor="ana") as core:
        core.execute(sa.text("SELECT 1"))
    with db.core(tenant=A, actor="ana") as core:
        assert core.execute(sql("SELECT 3")).scalar() == 3


def test_the_same_under_asyncio(shop: Shop) -> None:
    asyncio.run(_async_refusal(shop))


def test_the_raw_connection_takes_literals_and_composed_objects() -> None:
    frame = sys._getframe()
    refuse_unwritten("SELECT 'raw'", frame)
    refuse_unwritten(b"SELECT 'raw'", frame)
    refuse_unwritten(composed.SQL("SELECT {}").format(composed.Identifier("a")), frame)
    refuse_unwritten(Written(EVIL), frame)
    for query in (EVIL, f"SELECT {frame}", f"SELECT {frame}".encode(), outside("SELECT 2").replace("2", "3")):
        with pytest.raises(SqlNotLiteral):
            refuse_unwritten(query, frame)


def test_the_raw_connection_of_a_session_refuses(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        raw = session.psycopg()
        assert raw.execute("SELECT 1").fetchone() == (1,)
        assert raw.execute(composed.SQL("SELECT {}").format(composed.Literal("x"))).fetchone() == ("x",)
        kept = raw.cursor("kept")
        calls: list[Callable[[Any], Any]] = [
            raw.execute,
            raw.cursor().execute,
            kept.execute,
            lambda query: raw.cursor().executemany(query, []),
            lambda query: next(raw.cursor().stream(query)),
            lambda query: raw.cursor().copy(query).__enter__(),
        ]
        for call in calls:
            for query in (EVIL, EVIL.encode()):
                with pytest.raises(SqlNotLiteral):
                    call(query)
        with raw.cursor() as cursor, cursor.copy("COPY (SELECT 5) TO STDOUT") as copy:
            assert b"".join(copy) == b"5\n"
        with kept:
            assert kept.execute("SELECT 6").fetchone() == (6,)


async def _async_raw(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place)
    async with db.transaction(tenant=A, actor="ana") as session:
        raw = await session.psycopg()
        assert await (await raw.execute("SELECT 1")).fetchone() == (1,)
        assert await (await asyncio.wait_for(raw.cursor().execute("SELECT 2"), 5)).fetchone() == (2,)
        with pytest.raises(SqlNotLiteral):
            await raw.execute(outside(EVIL))
        with pytest.raises(SqlNotLiteral):
            await raw.cursor().execute(outside(EVIL))
    await db.dispose()


def test_the_raw_connection_refuses_under_asyncio(shop: Shop) -> None:
    asyncio.run(_async_raw(shop))


TYPED = """
from psycopg.sql import SQL
from freehold.runtime.literal import sql, sql_column
def good(n: int) -> None:
    sql("SELECT 1" + " FROM a"); sql_column("now()"); sql(SQL("SELECT 1"))
def bad(user: str) -> None:
    sql(user)
    sql(f"SELECT {user}")
    sql("SELECT %s" % user)
    sql_column(user)
"""


def test_a_type_checker_refuses_what_is_not_a_literal(tmp_path: Path) -> None:
    """mypy takes LiteralString for str; ty, pyright and basedpyright tell them apart."""
    page = tmp_path / "page.py"
    page.write_text(TYPED)
    command = [sys.executable, "-m", "ty", "check", "--output-format", "concise", "--python", sys.prefix, str(page)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [int(line.split(":")[1]) for line in found.stdout.splitlines() if "invalid-argument-type" in line]
    assert lines == [7, 8, 9, 10], found.stdout + found.stderr
