"""The body of a function that judges one schema: its statements, its variables and its ways out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import LiteralString

from freehold.kernel.names import Sql, ddl, joined, literal, trusted

JUDGED = Sql("judged")
"""The block around a whole function."""


@dataclass(frozen=True)
class Place:
    """A value under judgement: its variable, the pieces of its JSON pointer, and the block that a violation leaves."""

    value: Sql
    pointer: tuple[Sql, ...] = ()
    label: Sql = JUDGED

    def below(self, value: Sql, *step: Sql) -> Place:
        """The place of a value inside this one."""
        return replace(self, value=value, pointer=(*self.pointer, literal("/"), *step))


def step(name: str) -> Sql:
    """A property's name in a JSON pointer (RFC 6901)."""
    return literal(name.replace("~", "~0").replace("/", "~1"))


@dataclass
class Body:
    """Statements in the making."""

    lines: list[Sql] = field(default_factory=list)
    variables: list[Sql] = field(default_factory=list)
    labels: int = 0

    def add(self, template: LiteralString, *parts: Sql) -> None:
        """One statement, or the head or end of one."""
        self.lines.append(ddl(template, *parts))

    def variable(self, kind: LiteralString) -> Sql:
        """A variable of the function's own."""
        name = trusted(f"x{len(self.variables) + 1}")
        self.variables.append(ddl("{} {};", name, trusted(kind)))
        return name

    def fail(self, place: Place, keyword: str, *more: Sql) -> None:
        """Say where and by which keyword the value is refused, and leave."""
        text = joined((*place.pointer, *more, literal(f" {keyword}")), " || ")
        self.add("violation := {};", text)
        self.add("EXIT {};", place.label)

    @contextmanager
    def when(self, template: LiteralString, *parts: Sql) -> Iterator[None]:
        """Statements that run where a condition holds."""
        self.lines.append(ddl("IF {} THEN", ddl(template, *parts)))
        begun = len(self.lines)
        yield
        if len(self.lines) == begun:
            self.add("NULL;")
        self.add("END IF;")

    @contextmanager
    def trial(self, place: Place) -> Iterator[Place]:
        """A block that a violation leaves, and not more; what follows it inside runs where there was none."""
        self.labels += 1
        label = trusted(f"trial{self.labels}")
        self.add("<<{}>> BEGIN", label)
        self.add("violation := NULL;")
        yield replace(place, label=label)
        self.add("END {};", label)

    def text(self) -> Sql:
        """The statements."""
        return joined(self.lines, "\n    ")
