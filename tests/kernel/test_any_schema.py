"""Whatever a database holds is read and comes out as it was, or is told by name: nothing is missing in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from freehold.kernel import unmanaged
from freehold.kernel.names import Sql
from freehold.kernel.objects import Key
from freehold.kernel.roundtrip import RoundTrip, round_trip
from freehold.kernel.template import read_sql
from freehold.testing.database import Database

HERE = Path(__file__).parent
UNMANAGED = {
    "access method",
    "aggregate",
    "base type",
    "cast",
    "circle of views",
    "cluster mark",
    "collation",
    "column compression",
    "column options",
    "column storage",
    "comment",
    "composite type",
    "conversion",
    "foreign table",
    "foreign-data wrapper",
    "grant option",
    "inheritance",
    "invalid state",
    "language",
    "large object",
    "multirange type",
    "mark of an extension",
    "operator",
    "operator class",
    "operator family",
    "order of columns",
    "own rights",
    "owner column",
    "partition NOT NULL",
    "partition default",
    "publication",
    "publication namespace",
    "publication relation",
    "range type",
    "replica identity",
    "rights",
    "routine that only OUT parameters tell from another",
    "row type",
    "rule",
    "server",
    "shell type",
    "statistics object",
    "statistics target",
    "subscription",
    "table access method",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "toast options",
    "transform",
    "unlogged state",
    "unpopulated state",
    "user mapping",
    "view default",
}


def made(connection: psycopg.Connection[Any], major: int) -> None:
    """The schema on a database."""
    connection.execute((HERE / "any_schema.sql").read_bytes())
    if major >= 18:
        connection.execute((HERE / "any_schema_18.sql").read_bytes())


CATALOGS = """
SELECT c.oid, c.relname FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'oid'
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared
"""
PARTS = frozenset({"pg_enum", "pg_amop", "pg_amproc", "pg_attrdef", "pg_largeobject_metadata"})
"""Catalogs of labels, members, defaults: parts of what is read or named; a large object is kept by another's number."""
EVERYTHING = """
SELECT pg_describe_object(o.classid, o.oid, 0), a.type, i.identity, a.object_names
FROM (SELECT %(catalog)s::oid AS classid, oid FROM {catalog} WHERE oid >= 16384) AS o
CROSS JOIN LATERAL pg_identify_object(o.classid, o.oid, 0) AS i
CROSS JOIN LATERAL pg_identify_object_as_address(o.classid, o.oid, 0) AS a
WHERE coalesce(i.schema, '') !~ '^pg_'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE (d.classid, d.objid) = (o.classid, o.oid) AND d.deptype IN ('i', 'P', 'S', 'e') AND d.refobjid <> d.objid
  )
  AND NOT EXISTS (  -- a column's own NOT NULL
      SELECT FROM pg_constraint AS k WHERE %(catalog)s = 'pg_constraint'::regclass AND k.oid = o.oid AND k.contype = 'n'
  )
"""
OURS = {
    "type": ("enum", "domain"),
    "materialized view": ("view",),
    "table constraint": ("constraint",),
    "procedure": ("function",),
    "event trigger": ("event_trigger",),
    "default acl": ("default_privilege",),
}
"""Kinds of keys by the name that PostgreSQL has for their objects, where it is another."""


def silent(connection: psycopg.Connection[Any], found: RoundTrip) -> set[str]:
    """Everything that somebody made, as PostgreSQL describes it, and that a round trip does not speak of."""
    connection.execute("SET search_path = ''")
    managed = {*found.kept, *found.standing, *found.differences, *OF_THE_CLUSTER}
    named = {item.name for item in found.unmanaged}
    missing = set()
    for catalog, name in connection.execute(CATALOGS).fetchall():
        if name in PARTS:
            continue
        query = sql.SQL(EVERYTHING).format(catalog=sql.Identifier(name))
        for described, kind, identity, parts in connection.execute(query, {"catalog": catalog}).fetchall():
            if identity not in named and not _read(kind, identity, tuple(parts), managed):
                missing.add(described)
    return missing


OF_THE_CLUSTER = frozenset({Key("event_trigger", ("watch",))})
"""What is read, and not built again."""


def _read(kind: str, identity: str, parts: tuple[str, ...], managed: set[Key]) -> bool:
    if kind == "domain constraint":
        return True  # part of the domain
    kinds = OURS.get(kind, (kind,))
    if kind == "default acl":
        return any(key.kind == "default_privilege" for key in managed)
    name = tuple(identity.split(".")) if kind == "type" else parts
    return any(key.kind in kinds and key.name[: len(name)] == name for key in managed)


@pytest.fixture
def found(database: Database, pg_major: int) -> RoundTrip:
    """What came out of a round trip of the whole schema."""
    return whole(database, pg_major)


def whole(database: Database, pg_major: int) -> RoundTrip:
    """A round trip of the whole schema."""
    with database.connect(autocommit=True) as connection:
        made(connection, pg_major)
        found = round_trip(connection)
        connection.execute("DROP SUBSCRIPTION heard")
        return found


def test_nothing_differs(found: RoundTrip) -> None:
    assert found.differences == {}
    assert len(found.kept) > 90


def test_everything_else_is_told_by_name(found: RoundTrip, pg_major: int) -> None:
    newer = {"name or state of NOT NULL"} if pg_major >= 18 else set()
    assert {item.kind for item in found.unmanaged} == UNMANAGED | newer


def test_what_postgresql_writes_otherwise_is_told(found: RoundTrip) -> None:
    assert set(found.reworded) <= {Key("view", ("any_one", "joined_up"))}
    assert Key("index", ("any_one", "of_one")) in found.kept
    assert Key("domain", ("any_one", "even_number")) in found.kept
    assert str(found.standing[Key("view", ("any_one", "here"))]) == "circle of views any_one.here"


def test_what_stands_on_it_is_left_out(found: RoundTrip) -> None:
    standing = {str(key): str(cause) for key, cause in found.standing.items()}
    assert standing["table any_one.standing"].split(" any_one.")[0] in {"composite type", "range type"}
    assert "constraint any_one.further.further_standing_id_fkey" in standing
    assert standing["view any_one.on_it"] == "composite type any_one.pair"
    assert standing["index any_one.by_ways"] == "operator class any_one.ways USING btree"
    assert "table any_one.further" not in standing
    assert "table any_one.base" not in standing


def test_nothing_is_missing_in_silence(database: Database, found: RoundTrip) -> None:
    with database.connect(autocommit=True) as connection:
        assert silent(connection, found) == set()


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("FROM pg_conversion", "conversion any_one.lossy"),
        ("FROM pg_operator", "operator any_one.|+|(integer,integer)"),
        ("FROM pg_class WHERE relkind = 'c'", "type any_one.pair"),
        ("FROM pg_publication_namespace", "publication of schema any_one in publication whole"),
    ],
)
def test_a_kind_that_is_forgotten_is_seen(
    line: str, seen: str, database: Database, pg_major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = read_sql("freehold.kernel", "list_unmanaged")
    kept = "\n".join(each for each in text.splitlines() if not each.endswith(line))
    assert kept != text
    monkeypatch.setattr(unmanaged, "read_sql", lambda package, name: Sql(kept))
    found = whole(database, pg_major)
    with database.connect(autocommit=True) as connection:
        assert seen in silent(connection, found)
