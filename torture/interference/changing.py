"""Draws changing statements: rows of either tenant inserted, changed, moved, merged and deleted, and rolled back."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from freehold.kernel.names import Sql, ddl, ident, idents, joined
from torture.interference.catalog import Column, Reach, Relation, Row, constant, same_row
from torture.interference.reading import Reader


class Writer:
    """Draws changes of the tables that the role may write; ``reader`` gives conditions and constants."""

    def __init__(self, reach: Reach, reader: Reader, draw: random.Random) -> None:
        self._reader = reader
        self._draw = draw
        self._inserted = tuple(r for r in reach.relations if r.insertable and r.rows)
        self._changed = tuple(r for r in reach.relations if r.changeable and r.rows)
        self._deleted = tuple(r for r in reach.relations if r.deletable and r.rows)

    def statement(self) -> Sql:
        """One statement; a reading one where the role may write nothing."""
        kinds: dict[Callable[[], Sql], int] = {}
        if self._inserted:
            kinds |= {self._insert: 30, self._insert_select: 4}
        if self._changed:
            kinds |= {self._take_value: 30, self._update: 12}
        if self._deleted:
            kinds |= {self._delete: 20}
        if set(self._inserted) & set(self._changed):
            kinds |= {self._merge: 6}
        return self._draw.choices(list(kinds), list(kinds.values()))[0]() if kinds else self._reader.statement()

    def _value(self, relation: Relation, column: Column) -> Sql:
        """What some row of the table has in the column, whoever owns it."""
        held = [row[column.name] for row in relation.rows if row.get(column.name) is not None]
        return constant(column, self._draw.choice(held)) if held else self._reader.constant(column)

    def _row(self, relation: Relation, given: tuple[Column, ...]) -> dict[str, Sql]:
        """A row as one of either tenant is, with one or two columns as another row has them, or fresh ones."""
        row: Row = self._draw.choice(relation.rows)
        values = {column.name: constant(column, row.get(column.name)) for column in given}
        for column in self._draw.sample(given, min(len(given), self._draw.randint(0, 2))):
            values[column.name] = self._value(relation, column)
        if self._draw.random() < 0.6:
            for column in given:
                if column.key and column.base in {"int2", "int4", "int8"}:
                    values[column.name] = constant(column, str(self._draw.randint(31_000, 32_000)))
        if self._draw.random() < 0.5:
            mine = self._tenants(relation, values)
            values.update(mine)
        return values

    def _tenants(self, relation: Relation, values: dict[str, Sql]) -> dict[str, Sql]:
        """The reader's own tenant in the first column of the key, as the database itself names it."""
        first = next((c for c in relation.columns if c.key and c.name in values and c.name in {"tenant_id"}), None)
        return {first.name: ddl("freehold.tenant_v1()")} if first else {}

    def _returning(self, relation: Relation, given: Any) -> Sql:
        shown = [c for c in relation.readable if c.name in given]
        return ddl(" RETURNING {}", idents(c.name for c in shown)) if shown and self._draw.random() < 0.5 else Sql("")

    def _insert(self) -> Sql:
        relation = self._draw.choice(self._inserted)
        given = tuple(c for c in relation.columns if c.insertable and c.written)
        values = self._row(relation, given)
        name, columns = relation.sql, idents(values)
        text = ddl("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})", name, columns, joined(values.values()))
        return ddl("{}{}{}", text, self._conflict(relation), self._returning(relation, values))

    def _conflict(self, relation: Relation) -> Sql:
        chance = self._draw.random()
        if chance < 0.2:
            return ddl(" ON CONFLICT DO NOTHING")
        if chance < 0.3 and relation.key and relation.changeable:
            name = ident(self._draw.choice(relation.changeable).name)
            return ddl(
                " ON CONFLICT ({0}) DO UPDATE SET {1} = excluded.{1}", idents(c.name for c in relation.key), name
            )
        return Sql("")

    def _insert_select(self) -> Sql:
        relation = self._draw.choice(self._inserted)
        columns = tuple(c for c in relation.columns if c.insertable and c.written and c.readable)
        if not columns:
            return self._insert()
        names = idents(c.name for c in columns)
        condition = self._reader.condition(self._reader.fields(relation, "s"), 2)
        return ddl(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {0} AS s WHERE {2} ON CONFLICT DO NOTHING",
            relation.sql, names, condition,
        )  # fmt: skip

    def _take_value(self) -> Sql:
        """One row takes one value that another row has: the way to ask whether a value is taken, or a parent there."""
        relation = self._draw.choice(self._changed)
        column = self._draw.choice(relation.changeable)
        row = self._draw.choice(relation.rows)
        keys = relation.key or relation.readable[:2]
        return ddl(
            "UPDATE {} AS t SET {} = {} WHERE {}{}",
            relation.sql, ident(column.name), self._value(relation, column), same_row(keys, row, "t"),
            self._returning(relation, {column.name}),
        )  # fmt: skip

    def _update(self) -> Sql:
        """Many rows take one value, without a condition, so that no policy for reading comes in."""
        relation = self._draw.choice(self._changed)
        column = self._draw.choice(relation.changeable)
        text = ddl("UPDATE {} SET {} = {}", relation.sql, ident(column.name), self._value(relation, column))
        if self._draw.random() < 0.5 or not relation.readable:
            return text
        scope = self._reader.fields(relation, relation.name)
        return ddl("{} WHERE {}", text, self._reader.condition(scope, 2))

    def _delete(self) -> Sql:
        relation = self._draw.choice(self._deleted)
        if self._draw.random() < 0.6 or not relation.readable:
            return ddl("DELETE FROM {}", relation.sql)
        if self._draw.random() < 0.5:
            keys = relation.key or relation.readable[:2]
            return ddl(
                "DELETE FROM {} AS t WHERE {}", relation.sql, same_row(keys, self._draw.choice(relation.rows), "t")
            )
        return ddl(
            "DELETE FROM {} AS t WHERE {}", relation.sql, self._reader.condition(self._reader.fields(relation, "t"))
        )

    def _merge(self) -> Sql:
        relation = self._draw.choice([r for r in self._inserted if r in self._changed])
        given = tuple(c for c in relation.columns if c.insertable and c.written and not c.identity)
        values = self._row(relation, given)
        column = self._draw.choice(relation.changeable)
        on = joined((ddl("t.{0} = s.{0}", ident(c.name)) for c in relation.key if c.name in values), " AND ")
        if not on:
            return self._insert()
        return ddl(
            "MERGE INTO {} AS t USING (VALUES ({})) AS s ({}) ON {} WHEN MATCHED THEN UPDATE SET {} = {}"
            " WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
            relation.sql, joined(values.values()), idents(values), on, ident(column.name),
            self._value(relation, column), idents(values), joined(ddl("s.{}", ident(n)) for n in values),
        )  # fmt: skip
