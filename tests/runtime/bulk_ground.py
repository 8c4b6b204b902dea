"""A table with a column of every kind, straight or under row security, for the tests of bulk work."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from freehold.errors import FreeholdError
from tests.runtime.conftest import Shop

KINDS = sa.Table(
    "kinds",
    sa.MetaData(schema="shop"),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("flag", sa.Boolean),
    sa.Column("small", sa.SmallInteger),
    sa.Column("large", sa.BigInteger),
    sa.Column("single", sa.REAL),
    sa.Column("double", sa.Float(53)),
    sa.Column("price", sa.Numeric(12, 4)),
    sa.Column("exact", sa.Numeric),
    sa.Column("name", sa.Text),
    sa.Column("short", sa.String(5)),
    sa.Column("mood", pg.ENUM("calm", "cross", name="mood", schema="shop", create_type=False)),
    sa.Column("doc", pg.JSONB),
    sa.Column("plain", pg.JSON),
    sa.Column("key", sa.Uuid),
    sa.Column("day", sa.Date),
    sa.Column("hour", sa.Time),
    sa.Column("local", sa.DateTime),
    sa.Column("moment", sa.DateTime(timezone=True)),
    sa.Column("span", sa.Interval),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("numbers", pg.ARRAY(sa.Integer)),
    sa.Column("words", pg.ARRAY(sa.Text)),
    sa.Column("codes", pg.ARRAY(sa.String(5))),
    sa.Column("address", pg.INET),
    sa.Column("positive", sa.Integer),
    sa.Column("twice", sa.Integer, sa.Computed("positive * 2", persisted=True)),
)
CREATE = """
CREATE TYPE shop.mood AS ENUM ('calm', 'cross');
CREATE DOMAIN shop.positive AS integer CHECK (VALUE > 0);
CREATE TABLE shop.kinds (
    id integer PRIMARY KEY, flag boolean, small smallint, large bigint, single real, double double precision,
    price numeric(12, 4), exact numeric, name text, short varchar(5), mood shop.mood, doc jsonb, plain json, key uuid,
    day date, hour time, local timestamp, moment timestamptz, span interval, raw bytea, numbers integer[], words text[],
    codes varchar(5)[], address inet, positive shop.positive,
    twice integer GENERATED ALWAYS AS (positive * 2) STORED
);
"""
GUARD = "ALTER TABLE shop.kinds ENABLE ROW LEVEL SECURITY; CREATE POLICY everyone ON shop.kinds USING (true)"


def make_kinds(shop: Shop, *, guarded: bool) -> None:
    """The table, which the application may read and write."""
    login = sql.Identifier(f"{shop.name}_app_a")
    with shop.database.connect(autocommit=True) as connection:
        connection.execute(CREATE)
        connection.execute(sql.SQL("GRANT ALL ON shop.kinds TO {}").format(login))
        if guarded:
            connection.execute(GUARD)


def sqlstate(error: BaseException | None) -> str:
    """The server's SQLSTATE, wherever it is: in the error, in the driver's under SQLAlchemy's, or in its cause."""
    found: Any = getattr(error, "sqlstate", "") or getattr(getattr(error, "orig", None), "sqlstate", "")
    if found or error is None:
        return str(found or "")
    return sqlstate(error.__cause__)


REFUSED = (psycopg.Error, sa.exc.DBAPIError, FreeholdError)
"""What a refusal by the server may be raised as."""
