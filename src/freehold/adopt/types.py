"""PostgreSQL's types as ``format_type`` writes them, in SQLAlchemy's words and in Python's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from freehold.adopt.source import Group, Node, Text, call, flat
from freehold.kernel.names import trusted


@dataclass(frozen=True)
class Typed:
    """A type: what Python calls its values, how SQLAlchemy says it, and whether the annotation alone says so."""

    python: str
    sqlalchemy: Node
    implied: bool = False


IMPLIED = {
    "integer": Typed("int", "sa.Integer", True),
    "character varying": Typed("str", "sa.String", True),
    "boolean": Typed("bool", "sa.Boolean", True),
    "numeric": Typed("Decimal", "sa.Numeric", True),
    "date": Typed("dt.date", "sa.Date", True),
    "timestamp without time zone": Typed("dt.datetime", "sa.DateTime", True),
    "time without time zone": Typed("dt.time", "sa.Time", True),
    "interval": Typed("dt.timedelta", "sa.Interval", True),
    "bytea": Typed("bytes", "sa.LargeBinary", True),
    "uuid": Typed("UUID", "sa.Uuid", True),
}

PLAIN = {
    "smallint": Typed("int", "sa.SmallInteger"),
    "bigint": Typed("int", "sa.BigInteger"),
    "real": Typed("float", "sa.REAL"),
    "double precision": Typed("float", "sa.Double"),
    "text": Typed("str", "sa.Text"),
    "timestamp with time zone": Typed("dt.datetime", "sa.DateTime(timezone=True)"),
    "time with time zone": Typed("dt.time", "sa.Time(timezone=True)"),
    "json": Typed("Any", "postgresql.JSON"),
    "jsonb": Typed("Any", "postgresql.JSONB"),
    "inet": Typed("Any", "postgresql.INET"),
    "cidr": Typed("Any", "postgresql.CIDR"),
    "macaddr": Typed("str", "postgresql.MACADDR"),
    "macaddr8": Typed("str", "postgresql.MACADDR8"),
    "money": Typed("str", "postgresql.MONEY"),
    "oid": Typed("int", "postgresql.OID"),
    "tsvector": Typed("str", "postgresql.TSVECTOR"),
    "tsquery": Typed("str", "postgresql.TSQUERY"),
    "int4range": Typed("postgresql.Range[int]", "postgresql.INT4RANGE"),
    "int8range": Typed("postgresql.Range[int]", "postgresql.INT8RANGE"),
    "numrange": Typed("postgresql.Range[Decimal]", "postgresql.NUMRANGE"),
    "daterange": Typed("postgresql.Range[dt.date]", "postgresql.DATERANGE"),
    "tsrange": Typed("postgresql.Range[dt.datetime]", "postgresql.TSRANGE"),
    "tstzrange": Typed("postgresql.Range[dt.datetime]", "postgresql.TSTZRANGE"),
    "int4multirange": Typed("Any", "postgresql.INT4MULTIRANGE"),
    "int8multirange": Typed("Any", "postgresql.INT8MULTIRANGE"),
    "nummultirange": Typed("Any", "postgresql.NUMMULTIRANGE"),
    "datemultirange": Typed("Any", "postgresql.DATEMULTIRANGE"),
    "tsmultirange": Typed("Any", "postgresql.TSMULTIRANGE"),
    "tstzmultirange": Typed("Any", "postgresql.TSTZMULTIRANGE"),
}

_PRECISE: tuple[tuple[str, Callable[[re.Match[str]], Typed]], ...] = (
    (r"character varying\((\d+)\)", lambda m: Typed("str", f"sa.String({m[1]})")),
    (r"character\((\d+)\)", lambda m: Typed("str", f"sa.CHAR({m[1]})")),
    (r"numeric\((\d+),(-?\d+)\)", lambda m: Typed("Decimal", f"sa.Numeric({m[1]}, {m[2]})")),
    (r"timestamp\((\d)\) with time zone", lambda m: _precise("TIMESTAMP", "dt.datetime", m[1], "timezone=True, ")),
    (r"timestamp\((\d)\) without time zone", lambda m: _precise("TIMESTAMP", "dt.datetime", m[1])),
    (r"time\((\d)\) with time zone", lambda m: _precise("TIME", "dt.time", m[1], "timezone=True, ")),
    (r"time\((\d)\) without time zone", lambda m: _precise("TIME", "dt.time", m[1])),
    (r"interval\((\d)\)", lambda m: _precise("INTERVAL", "dt.timedelta", m[1])),
    (r"bit\((\d+)\)", lambda m: Typed("str", f"postgresql.BIT({m[1]})")),
    (r"bit varying\((\d+)\)", lambda m: Typed("str", f"postgresql.BIT({m[1]}, varying=True)")),
    (r"bit varying", lambda m: Typed("str", "postgresql.BIT(varying=True)")),
)


def _precise(name: str, python: str, precision: str, before: str = "") -> Typed:
    return Typed(python, f"postgresql.{name}({before}precision={precision})")


def typed(text: str, own: Mapping[str, Typed], collation: str = "", *, raw: bool = False) -> Typed:
    """The type that the catalog writes as ``text``.

    Parameters
    ----------
    own
        The database's enums and domains, by the text that the catalog has for them.
    collation
        The collation's qualified name without quotes, or nothing for the type's own.
    raw
        Name the type as the server does.
    """
    if raw:
        return server_type(text, collation)
    if text.endswith("[]"):
        item = typed(text[:-2], own)
        if collation or _by_name(item):
            return server_type(text, collation)
        return Typed(f"list[{item.python}]", call("postgresql.ARRAY", item.sqlalchemy))
    found = own.get(text) or IMPLIED.get(text) or PLAIN.get(text) or _precisely(text)
    if found is None or (collation and not _takes_collation(found)):
        return server_type(text, collation)
    return _collated(found, collation) if collation else found


def _precisely(text: str) -> Typed | None:
    for pattern, make in _PRECISE:
        if match := re.fullmatch(pattern, text):
            return make(match)
    return None


def server_type(text: str, collation: str = "") -> Typed:
    """A type by the server's name for it."""
    return Typed("Any", call("ServerType", Text(trusted(text)), collation=Text(collation) if collation else None))


def _by_name(item: Typed) -> bool:
    return isinstance(item.sqlalchemy, Group) and item.sqlalchemy.opening == "ServerType("


def _takes_collation(item: Typed) -> bool:
    return flat(item.sqlalchemy).startswith(("sa.Text", "sa.String", "sa.CHAR"))


def _collated(item: Typed, collation: str) -> Typed:
    name, _, length = flat(item.sqlalchemy).partition("(")
    lengths: tuple[Node, ...] = (length.removesuffix(")"),) if length else ()
    return replace(item, sqlalchemy=call(name, *lengths, collation=Text(collation)), implied=False)
