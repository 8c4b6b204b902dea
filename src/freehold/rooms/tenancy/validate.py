"""Keys that would reach across tenants, found in the models before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from freehold.errors import CrossTenantForeignKey, DeclarationError, TenantKeyMissing
from freehold.kernel.declare import name_of
from freehold.kernel.model import Class, Ownership
from freehold.rooms.tenancy.declare import COLUMN, Tenancy

Name = tuple[str, str]
OWNED = frozenset({Ownership.ROOT, Ownership.TENANT})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one table, and the line that would be right."""

    table: str
    fact: str
    remedy: str


def refuse_crossings(tables: Mapping[Name, sa.Table], classes: Mapping[Name, Class], declaration: Tenancy) -> None:
    """Raise one error for all keys, or one for all foreign keys, that reach across tenants."""
    owned = {name: each for name, each in classes.items() if each.ownership is Ownership.TENANT}
    _refuse_types(tables, classes, owned)
    keys = [p for name in owned for p in _keys(tables[name], declaration.column)]
    if keys:
        raise TenantKeyMissing("Keys of tenant-owned tables must contain the tenant column", **_told(keys))
    crossings = [p for name in classes for p in _foreign_keys(tables[name], classes)]
    if crossings:
        raise CrossTenantForeignKey("Foreign keys could point at another tenant's row", **_told(crossings))


def _told(problems: Iterable[Problem]) -> dict[str, str]:
    found = sorted(problems, key=lambda problem: (problem.table, problem.fact))
    return {
        "detail": "\n".join(f"{p.table}: {p.fact}" for p in found),
        "hint": "Write instead:\n" + "\n".join(f"    {p.remedy}  # {p.table}" for p in found),
    }


def _refuse_types(tables: Mapping[Name, sa.Table], classes: Mapping[Name, Class], owned: Iterable[Name]) -> None:
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    root = next(name for name, each in classes.items() if each.ownership is Ownership.ROOT)
    wanted = tables[root].columns[classes[root].tenant_column].type.compile(dialect)
    wrong = [name for name in owned if _type(tables[name], classes[name], dialect) != wanted]
    if wrong:
        raise DeclarationError(
            f"Tenant columns differ in type from the root's {wanted}: {', '.join(sorted(map('.'.join, wrong)))}",
            hint="Give every tenant column the type of the root's primary key, so that indexes serve the policies.",
        )


def _type(table: sa.Table, each: Class, dialect: sa.Dialect) -> str:
    return table.columns[each.tenant_column].type.compile(dialect)


def _keys(table: sa.Table, column: str) -> Iterator[Problem]:
    name = ".".join(name_of(table))
    if table.columns[column].nullable:
        yield Problem(name, f"{column} may be null", f"{column}: Mapped[...] = mapped_column(nullable=False)")
    primary = [c.name for c in table.primary_key.columns]
    if primary[:1] != [column] and "partition_of" not in table.info:  # a partition has its parent's key
        rest = [c for c in primary if c != column] or ["id"]
        fact = f"its primary key is ({', '.join(primary)})" if primary else "it has no primary key"
        yield Problem(name, fact, _call("PrimaryKeyConstraint", column, *rest))
    yield from _uniques(table, name, column)


def _uniques(table: sa.Table, name: str, column: str) -> Iterator[Problem]:
    for constraint in table.constraints:
        columns = [c.name for c in getattr(constraint, "columns", ())]
        if isinstance(constraint, sa.UniqueConstraint) and column not in columns:
            yield Problem(name, f"unique ({', '.join(columns)}) spans all tenants", _unique(columns, column))
        if isinstance(constraint, ExcludeConstraint) and column not in columns:
            remedy = f'ExcludeConstraint(("{column}", "="), ...)'
            yield Problem(name, f"exclusion of ({', '.join(columns)}) spans all tenants", remedy)
    for index in table.indexes:
        columns = [c.name for c in index.columns]
        if index.unique and column not in columns:
            remedy = _call("Index", str(index.name), column, *columns, tail="unique=True")
            yield Problem(name, f"unique index {index.name} spans all tenants", remedy)


def _call(function: str, *names: str, tail: str = "") -> str:
    parts = [f'"{name}"' for name in names] + ([tail] if tail else [])
    return f"{function}({', '.join(parts)})"


def _unique(columns: Iterable[str], column: str) -> str:
    tail = "" if column == COLUMN else f'column="{column}"'
    return _call("tenant_unique", *columns, tail=tail)


def _foreign_keys(table: sa.Table, classes: Mapping[Name, Class]) -> Iterator[Problem]:
    name = name_of(table)
    for key in sorted(table.foreign_key_constraints, key=lambda k: list(k.column_keys)):
        target = name_of(key.referred_table)
        if target in classes and classes[target].ownership in OWNED:
            yield from _foreign_key(key, ".".join(name), classes[name], classes[target])


def _foreign_key(key: sa.ForeignKeyConstraint, name: str, own: Class, target: Class) -> Iterator[Problem]:
    pairs = [(element.parent.name, element.column.name) for element in key.elements]
    other = ".".join(name_of(key.referred_table))
    words = f"({', '.join(left for left, _ in pairs)}) to {other}"
    if own.ownership not in OWNED:
        # A shared row that names a tenant would belong to it; an exempt one may name the root, its reason says why.
        if target.ownership is Ownership.TENANT or own.ownership is Ownership.SHARED:
            yield Problem(name, f"foreign key {words} from a table that no tenant owns", "drop the foreign key")
        return
    if (own.tenant_column, target.tenant_column) not in pairs:
        yield Problem(name, f"foreign key {words} lacks the tenant column", _foreign_key_line(pairs, other, own))
        return
    yield from _actions(key, name, words, own, pairs)


def _foreign_key_line(pairs: Iterable[tuple[str, str]], other: str, own: Class) -> str:
    kept = [(left, right) for left, right in pairs if left != own.tenant_column]
    left = ", ".join(f'"{column}"' for column, _ in kept)
    right = ", ".join(f'"{other}.{column}"' for _, column in kept)
    one = len(kept) == 1
    tail = "" if own.tenant_column == COLUMN else f', column="{own.tenant_column}"'
    return f"tenant_foreign_key({left if one else f'[{left}]'}, {right if one else f'[{right}]'}{tail})"


def _actions(
    key: sa.ForeignKeyConstraint, name: str, words: str, own: Class, pairs: Iterable[tuple[str, str]]
) -> Iterator[Problem]:
    """SET NULL of a composite key would null the tenant as well, and CASCADE of an update would move the row."""
    action = (key.ondelete or "").upper().strip()
    if action in {"SET NULL", "SET DEFAULT"}:
        kept = ", ".join(left for left, _ in pairs if left != own.tenant_column)
        remedy = f'ondelete="{action} ({kept})"' if kept else 'ondelete="CASCADE"'
        yield Problem(name, f"foreign key {words} would change the tenant on delete", remedy)
    if (key.onupdate or "NO ACTION").upper().strip() not in {"NO ACTION", "RESTRICT"}:
        yield Problem(name, f"foreign key {words} would change the tenant on update", "leave onupdate out")
