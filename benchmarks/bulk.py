"""Bulk loads and reads from Arrow and polars, against ``psql \\copy`` of the same rows from a ready CSV."""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.measure import Section, interleaved, ratios, spread, wall
from freehold import Database, DataLayer, Roles, Tenancy
from freehold.cli.keyring import ensure_key
from freehold.operations import apply_layer
from freehold.rooms.roles import set_password
from freehold.servers import OwnedServer

ROUNDS = 5
SOURCE = Path(__file__).parent.parent / "examples" / "retail" / "data" / "online_retail.parquet"
TENANT = uuid.UUID(int=1)
CSV = "\\copy"


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="bulk")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class Line(Base):
    """Owned, with two indexes."""

    __tablename__ = "line"
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    invoice_no: Mapped[str | None]
    stock_code: Mapped[str | None]
    description: Mapped[str | None]
    quantity: Mapped[int | None] = mapped_column(sa.Integer)
    unit_price: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 4))
    invoiced_at: Mapped[datetime | None]
    __table_args__ = (sa.Index("line_stock", "tenant_id", "stock_code"),)


bare = sa.Table(
    "bare",
    Base.metadata,
    *(sa.Column(column.name, column.type) for column in Line.__table__.columns if column.name != "tenant_id"),
)
layer = DataLayer(Base.metadata, Tenancy(Company, shared=[bare]), Roles(writes=[bare]), name="bulkbench")


OWNED = [column.name for column in bare.columns]


def run(server: OwnedServer) -> Section:
    """Every way in, round by round, into an emptied table; then every way out."""
    frame = lines()
    with tempfile.TemporaryDirectory() as folder, ground(server, Path(folder)) as (admin, db):
        place = Path(folder)
        frame.select(pl.lit(str(TENANT)).alias("tenant_id"), pl.all()).write_csv(
            place / "line.csv", include_header=False
        )
        frame.write_csv(place / "bare.csv", include_header=False)
        ways = {**ways_in(server, admin, db, frame, place), **ways_out(server, db, place)}
        # The table is full from here on: every load of it empties and fills it.
        ways["bare polars"]()
        found = interleaved(ways, ROUNDS)
    return section(found, frame.height)


def lines() -> pl.DataFrame:
    """The worked example's invoice lines, with a number each and exact prices."""
    return pl.read_parquet(SOURCE).select(
        pl.int_range(pl.len()).alias("line_no"),
        pl.col("InvoiceNo").alias("invoice_no"),
        pl.col("StockCode").alias("stock_code"),
        pl.col("Description").alias("description"),
        pl.col("Quantity").cast(pl.Int32).alias("quantity"),
        pl.col("UnitPrice").cast(pl.Decimal(12, 4)).alias("unit_price"),
        pl.col("InvoiceDate").alias("invoiced_at"),
    )


@contextmanager
def ground(server: OwnedServer, folder: Path) -> Iterator[tuple[psycopg.Connection[Any], Database]]:
    """The layer on a database of its own, and the application's way in."""
    with server.connect(autocommit=True) as connection:
        connection.execute("CREATE DATABASE bulk")
    with server.connect("bulk", autocommit=True) as admin:
        apply_layer(admin, layer.declared)
        ensure_key(admin, folder / "keys")
        password, login = secrets.token_urlsafe(16), f"{layer.name}_app_a"
        set_password(admin, login, password)
        db = layer.connect(server.url("bulk", user=login, password=password), keys=folder / "keys")
        yield admin, db
        db.dispose()


def ways_in(
    server: OwnedServer, admin: psycopg.Connection[Any], db: Database, frame: pl.DataFrame, folder: Path
) -> dict[str, Callable[[], float]]:
    """Loads by name; each empties its table first, outside of the clock."""
    table = frame.to_arrow()

    def through(target: Any, rows: Any, columns: list[str] | None = None) -> Callable[[], None]:
        def load() -> None:
            with db.transaction(tenant=TENANT, actor="loader", workload="bulk") as session:
                session.copy_in(target, columns, rows() if callable(rows) else rows)

        return load

    def emptied(name: str, load: Callable[[], None]) -> Callable[[], float]:
        def timed() -> float:
            admin.execute(f"TRUNCATE bulk.{name}".encode())
            admin.execute("CHECKPOINT")
            return wall(load)

        return timed

    return {
        "bare psql": emptied("bare", lambda: psql(server, f"\\copy bulk.bare FROM '{folder}/bare.csv' (FORMAT csv)")),
        "bare arrow": emptied("bare", through(bare, table)),
        "bare polars": emptied("bare", through(bare, frame)),
        "bare rows": emptied("bare", through(bare, frame.iter_rows, OWNED)),
        "line psql": emptied("line", lambda: psql(server, f"\\copy bulk.line FROM '{folder}/line.csv' (FORMAT csv)")),
        "line arrow": emptied("line", through(Line, table)),
        "line polars": emptied("line", through(Line, frame)),
        "line rows": emptied("line", through(Line, frame.iter_rows, OWNED)),
    }


def ways_out(server: OwnedServer, db: Database, folder: Path) -> dict[str, Callable[[], float]]:
    """Reads by name, of what the load before them left: all rows, whichever it was."""

    def out(form: Any) -> Callable[[], float]:
        def read() -> None:
            with db.transaction(tenant=TENANT, actor="reader", workload="bulk") as session:
                for _ in session.copy_out(bare, form=form):
                    pass

        return lambda: wall(read)

    command = f"\\copy bulk.bare TO '{folder}/out.csv' (FORMAT csv)"
    return {
        "out psql": lambda: wall(lambda: psql(server, command)),
        "out csv": out("csv"),
        "out arrow": out("arrow"),
        "out rows": out("rows"),
    }


def psql(server: OwnedServer, command: str) -> None:
    """Run a psql command as the server's owner, whom row security does not hold."""
    program = server.binaries.program("psql")
    environment = {**os.environ, **server.binaries.environment}
    arguments = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.conninfo("bulk"), "-c", command]
    subprocess.run(arguments, check=True, env=environment)


NAMES = {
    "bare": "into a bare shared table, straight",
    "line": "into an owned table with two indexes: staged under row security, the tenant filled in",
    "out": "out of the bare table",
}


def section(found: dict[str, list[float]], rows: int) -> Section:
    """The table of ratios, and whether the goals are reached."""
    speeds = {name: ratios(found, f"{name.split()[0]} psql", name) for name in found}
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    straight = min(medians["bare arrow"], medians["bare polars"])
    staged = min(medians["line arrow"], medians["line polars"])
    reached = {True: "reached", False: "not reached"}
    verdict = (
        f"Goals: straight from Arrow and polars at least 1, {reached[straight >= 1]}; staged under row security at "
        f"least 0.75, {reached[staged >= 0.75]}."
    )
    return Section(
        title="Bulk loads and reads",
        method=f"{rows:,} real invoice lines of seven columns, `numeric` prices among them; speed against `psql "
        "\\copy` with a ready CSV, by the server's owner, into the same table. Row security, the transaction with its "
        f"signed context and the COMMIT are inside the clock. {ROUNDS} interleaved rounds, minimum / median / maximum.",
        columns=("what", "from or to", "speed against psql", "seconds"),
        rows=[
            (NAMES[place], f"`psql {CSV}`" if way == "psql" else way, spread(speeds[name]), spread(found[name]))
            for name in found
            for place, way in [name.split()]
        ],
        verdict=verdict,
    )
