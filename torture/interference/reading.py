"""Draws reading statements over whatever a role can name: joins, subqueries, windows, CTEs, set operations, LATERAL."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from freehold.kernel.names import Sql, ddl, ident, joined, literal, trusted
from torture.interference.catalog import INCOMPARABLE, Column, Function, Reach, Relation
from torture.interference.rows import value_of

DEEPEST = 2
MOST_COLUMNS = 4
NUMBERS = frozenset({"int2", "int4", "int8", "numeric"})
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Field:
    """A column in scope: how to write it, and what it is."""

    sql: Sql
    column: Column

    @property
    def comparable(self) -> Sql:
        """The same, as text where the type has no order."""
        return ddl("{}::text", self.sql) if self.column.base in INCOMPARABLE else self.sql


Scope = tuple[Field, ...]


class Reader:
    """Draws statements; the same seed over the same reach draws the same."""

    def __init__(self, reach: Reach, draw: random.Random) -> None:
        self.reach = reach
        self.draw = draw
        self._readable = tuple(each for each in reach.relations if each.readable)
        self._aliases = 0

    def statement(self) -> Sql:
        """One statement."""
        self._aliases = 0
        kinds: dict[Callable[[], Sql], int] = {
            self._rows: 30,
            self._total: 20,
            self._windowed: 10,
            self._combined: 10,
            self._common: 8,
            self._recursive: 2,
            self._lateral: 7,
            self._called: 6,
            self._judged: 5,
            self._locked: 4,
            self._one_value: 8,
        }
        return self.draw.choices(list(kinds), list(kinds.values()))[0]()

    # --- names and conditions ----------------------------------------------------------------------------------------

    def relation(self) -> Relation:
        """A relation that may be read."""
        return self.draw.choice(self._readable)

    def alias(self) -> str:
        """A name that the statement has not used."""
        self._aliases += 1
        return f"t{self._aliases}"

    def fields(self, relation: Relation, alias: str) -> Scope:
        """The readable columns of a relation under an alias."""
        return tuple(Field(ddl("{}.{}", ident(alias), ident(c.name)), c) for c in relation.readable)

    def constant(self, column: Column) -> Sql:
        """A value that some tenant has in such a column, else any."""
        values = self.reach.values(column.base)
        known = values and self.draw.random() < 0.9
        text = self.draw.choice(values) if known else value_of(column, self.draw)
        kind = "text" if column.base in INCOMPARABLE else column.type
        return ddl("{}::{}", literal(text), trusted(kind))

    def condition(self, scope: Scope, depth: int = 0) -> Sql:
        """A condition on what is in scope; it raises no error."""
        field = self.draw.choice(scope)
        made: list[Callable[[], Sql]] = [
            lambda: ddl("{} {} {}", field.comparable, self._comparison(), self.constant(field.column)),
            lambda: ddl("{} IS {}NULL", field.sql, self._not()),
            lambda: ddl("{} {}IN ({})", field.comparable, self._not(), self._constants(field.column)),
        ]
        if depth < DEEPEST:
            made += [
                lambda: ddl("{}EXISTS ({})", self._not(), self._correlated(field, depth)),
                lambda: ddl("{} {}IN ({})", field.comparable, self._not(), self._column_like(field, depth)),
                lambda: self._both(scope, depth),
            ]
        return self.draw.choice(made)()

    def _both(self, scope: Scope, depth: int) -> Sql:
        word = self.draw.choice([ddl("AND"), ddl("OR"), ddl("AND NOT")])
        return ddl("({} {} ({}))", self.condition(scope, depth + 1), word, self.condition(scope, depth + 1))

    def _comparison(self) -> Sql:
        return trusted(self.draw.choice(COMPARISONS))

    def _not(self) -> Sql:
        return self.draw.choice([Sql(""), ddl("NOT ")])

    def _constants(self, column: Column) -> Sql:
        return joined(self.constant(column) for _ in range(3))

    def _like(self, column: Column) -> tuple[Relation, Column]:
        """A relation with a column of the same type, which every type has: its own."""
        found = [(r, c) for r in self._readable for c in r.readable if c.base == column.base]
        return self.draw.choice(found)

    def _correlated(self, field: Field, depth: int) -> Sql:
        relation, column = self._like(field.column)
        alias = self.alias()
        other = Field(ddl("{}.{}", ident(alias), ident(column.name)), column)
        more = self.condition(self.fields(relation, alias), depth + 1)
        name = ident(alias)
        return ddl(
            "SELECT FROM {} AS {} WHERE {} = {} AND {}", relation.sql, name, other.comparable, field.comparable, more
        )

    def _column_like(self, field: Field, depth: int) -> Sql:
        relation, column = self._like(field.column)
        alias = self.alias()
        shown = Field(ddl("{}.{}", ident(alias), ident(column.name)), column).comparable
        more = self.condition(self.fields(relation, alias), depth + 1)
        return ddl("SELECT {} FROM {} AS {} WHERE {}", shown, relation.sql, ident(alias), more)

    # --- sources -----------------------------------------------------------------------------------------------------

    def source(self, depth: int = 0) -> tuple[Sql, Scope]:
        """What stands after FROM, and what it brings into scope."""
        relation, alias = self.relation(), self.alias()
        name, scope = ident(alias), self.fields(relation, alias)
        chance = self.draw.random()
        if depth >= DEEPEST or chance < 0.5:
            return ddl("{} AS {}", relation.sql, name), scope
        if chance < 0.65:
            inner = self.alias()
            condition = self.condition(self.fields(relation, inner), depth + 1)
            shown = joined(ddl("{}.{}", ident(inner), ident(f.column.name)) for f in scope)
            return ddl(
                "(SELECT {} FROM {} AS {} WHERE {}) AS {}", shown, relation.sql, ident(inner), condition, name
            ), scope
        return self._join(ddl("{} AS {}", relation.sql, name), scope, depth)

    def _join(self, left: Sql, scope: Scope, depth: int) -> tuple[Sql, Scope]:
        field = self.draw.choice(scope)
        relation, column = self._like(field.column)
        alias = self.alias()
        other = Field(ddl("{}.{}", ident(alias), ident(column.name)), column)
        word = trusted(self.draw.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]))
        text = ddl(
            "{} {} {} AS {} ON {} = {}", left, word, relation.sql, ident(alias), field.comparable, other.comparable
        )
        return text, (*scope, *self.fields(relation, alias))

    def shown(self, scope: Scope) -> Scope:
        """Some of what is in scope."""
        return tuple(self.draw.sample(scope, min(len(scope), self.draw.randint(1, MOST_COLUMNS))))

    # --- statements --------------------------------------------------------------------------------------------------

    def _where(self, scope: Scope) -> Sql:
        return ddl(" WHERE {}", self.condition(scope)) if self.draw.random() < 0.7 else Sql("")

    def _rows(self) -> Sql:
        source, scope = self.source()
        fields = [field.comparable for field in self.shown(scope)]
        distinct = self.draw.choice([Sql(""), Sql(""), ddl("DISTINCT ")])
        text = ddl("SELECT {}{} FROM {}{}", distinct, joined(fields), source, self._where(scope))
        if self.draw.random() < 0.3:
            # Ordered by all that is shown, so that whatever comes first does so in both databases.
            places = joined(trusted(str(place)) for place in range(1, len(fields) + 1))
            return ddl("{} ORDER BY {} LIMIT {}", text, places, trusted(str(self.draw.randint(1, 5))))
        return text

    def _aggregate(self, field: Field) -> Sql:
        made = [
            ddl("count(*)"),
            ddl("count({})", field.sql),
            ddl("count(DISTINCT {})", field.comparable),
            ddl("min({}::text)", field.sql),
            ddl("max({}::text)", field.sql),
            ddl("string_agg({0}::text, ',' ORDER BY {0}::text)", field.sql),
            ddl("bool_or({} IS NULL)", field.sql),
        ]
        if field.column.base in NUMBERS:
            made += [ddl("sum({})", field.sql), ddl("avg({})", field.sql)]
        return self.draw.choice(made)

    def _total(self) -> Sql:
        source, scope = self.source()
        told = joined(self._aggregate(self.draw.choice(scope)) for _ in range(2))
        if self.draw.random() < 0.5:
            return ddl("SELECT {} FROM {}{}", told, source, self._where(scope))
        by = self.draw.choice(scope).comparable
        grouping = trusted(self.draw.choice(["{}", "ROLLUP ({})", "CUBE ({})"]).format(by))
        having = self.draw.choice([Sql(""), ddl(" HAVING count(*) > 1")])
        return ddl("SELECT {}, {} FROM {}{} GROUP BY {}{}", by, told, source, self._where(scope), grouping, having)

    def _windowed(self) -> Sql:
        source, scope = self.source()
        by, order = self.draw.choice(scope).comparable, self.draw.choice(scope).comparable
        # Of rows that are equal in the order, each gets the same.
        call = trusted(self.draw.choice(["rank()", "dense_rank()", "count(*)", "cume_dist()", "percent_rank()"]))
        return ddl("SELECT {0}, {1}, {2} OVER (PARTITION BY {0} ORDER BY {1}) FROM {3}", by, order, call, source)

    def _combined(self) -> Sql:
        relation, field = self.relation(), None
        alias = self.alias()
        field = self.draw.choice(self.fields(relation, alias))
        first = ddl("SELECT {} FROM {} AS {}", field.comparable, relation.sql, ident(alias))
        word = trusted(self.draw.choice(["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"]))
        return ddl("{} {} {}", first, word, self._column_like(field, 1))

    def _common(self) -> Sql:
        relation, alias = self.relation(), self.alias()
        condition = self.condition(self.fields(relation, alias))
        columns = joined(ddl("{}.{}", ident(alias), ident(c.name)) for c in relation.readable)
        kept = self.draw.choice([Sql(""), ddl("MATERIALIZED "), ddl("NOT MATERIALIZED ")])
        outer = tuple(Field(ddl("c.{}", ident(c.name)), c) for c in relation.readable)
        field = self.draw.choice(outer)
        return ddl(
            "WITH c AS {}(SELECT {} FROM {} AS {} WHERE {}) SELECT {}, {} FROM c GROUP BY 1",
            kept, columns, relation.sql, ident(alias), condition, field.comparable, self._aggregate(field),
        )  # fmt: skip

    def _recursive(self) -> Sql:
        relation, alias = self.relation(), self.alias()
        field = self.draw.choice(self.fields(relation, alias))
        return ddl(
            "WITH RECURSIVE r (value, depth) AS (SELECT {0}::text, 1 FROM {1} AS {2} UNION"
            " SELECT r.value, r.depth + 1 FROM r JOIN {1} AS {2} ON {0}::text = r.value WHERE r.depth < 3)"
            " SELECT count(*), max(value), max(depth) FROM r",
            field.sql, relation.sql, ident(alias),
        )  # fmt: skip

    def _lateral(self) -> Sql:
        source, scope = self.source(1)
        field = self.draw.choice(scope)
        relation, column = self._like(field.column)
        alias = self.alias()
        other = Field(ddl("{}.{}", ident(alias), ident(column.name)), column)
        word = self.draw.choice([ddl("CROSS JOIN LATERAL"), ddl("LEFT JOIN LATERAL")])
        end = ddl(" ON true") if word.startswith("LEFT") else Sql("")
        inner = ddl(
            "SELECT count(*) AS n, max({0}::text) AS m FROM {1} AS {2} WHERE {0} = {3}",
            other.comparable, relation.sql, ident(alias), field.comparable,
        )  # fmt: skip
        return ddl("SELECT {}, l.n, l.m FROM {} {} ({}) AS l{}", field.comparable, source, word, inner, end)

    def _called(self) -> Sql:
        if not self.reach.functions:
            return self._total()
        function = self.draw.choice(self.reach.functions)
        return ddl(
            "SELECT x::text FROM {}({}) AS x", function.sql, joined(self.argument(t) for t in function.arguments)
        )

    def argument(self, kind: str) -> Sql:
        """A value for a function's argument."""
        alike = [c for r in self.reach.relations for c in r.columns if c.type == kind]
        if not alike or self.draw.random() < 0.1:
            return ddl("NULL::{}", trusted(kind))
        return self.constant(self.draw.choice(alike))

    def _judged(self) -> Sql:
        """A condition by one of the functions that take what a column holds, or one that fails on a certain value."""
        relation, alias = self.relation(), self.alias()
        field = self.draw.choice(self.fields(relation, alias))
        fitting = [f for f in self.reach.functions if f.returns == "boolean" and f.arguments == (field.column.type,)]
        if fitting:
            function: Function = self.draw.choice(fitting)
            test = ddl("{}({})", function.sql, field.sql)
        else:
            wanted = self.constant(field.column)
            test = ddl("1 / (CASE WHEN {} = {} THEN 0 ELSE 1 END) = 1", field.comparable, wanted)
        return ddl("SELECT count(*) FROM {} AS {} WHERE {}", relation.sql, ident(alias), test)

    def _locked(self) -> Sql:
        relation, alias = self.relation(), self.alias()
        scope = self.fields(relation, alias)
        told = joined(field.comparable for field in self.shown(scope))
        word = trusted(self.draw.choice(["FOR UPDATE", "FOR SHARE", "FOR KEY SHARE", "FOR NO KEY UPDATE SKIP LOCKED"]))
        return ddl("SELECT {} FROM {} AS {}{} {}", told, relation.sql, ident(alias), self._where(scope), word)

    def _one_value(self) -> Sql:
        """A scalar subquery, which fails where it finds two rows."""
        relation, alias = self.relation(), self.alias()
        scope = self.fields(relation, alias)
        field = self.draw.choice(scope)
        return ddl(
            "SELECT (SELECT {} FROM {} AS {} WHERE {} LIMIT 2) IS NULL",
            field.comparable, relation.sql, ident(alias), self.condition(scope, 1),
        )  # fmt: skip
