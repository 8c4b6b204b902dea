"""The protocol of a room: a declaration type and three pure functions, none of which opens a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from freehold.kernel.model import Class, Model
from freehold.kernel.objects import Key, Object

if TYPE_CHECKING:
    from freehold.events import Listener

D = TypeVar("D")


class Phase(IntEnum):
    """When a room compiles.

    Cut adds partitions to the metadata's tables, shape adds tables, guard sees every table, operate settings and files.
    """

    CUT = 0
    SHAPE = 1
    GUARD = 2
    OPERATE = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """All objects of ``kind`` whose name begins with ``within``: a stranger among them is reported."""

    kind: str
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raises:
    """The attack must fail with this SQLSTATE."""

    sqlstate: str

    def __str__(self) -> str:
        return f"SQLSTATE {self.sqlstate}"


@dataclass(frozen=True, slots=True)
class Returns:
    """The attack must return exactly these rows."""

    rows: tuple[tuple[Any, ...], ...]

    def __str__(self) -> str:
        return f"rows {list(self.rows)}"


@dataclass(frozen=True, slots=True)
class Affects:
    """The attack must succeed and touch this many rows."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} rows touched"


Expectation = Raises | Returns | Affects


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One attack on one promise. It runs in a transaction that is rolled back.

    Parameters
    ----------
    promise
        A sentence that is true while the promise holds.
    subject
        The object that the promise is about.
    attack
        One SQL statement, run as ``role``. It may use ``%(tenant)s`` and ``%(other)s``: two tenants of which each has
        rows in ``rows_in``; and ``%(row)s``: one whole row of ``other`` there as JSON. A literal percent sign is
        written twice.
    expect
        What happens while the promise holds.
    role
        Who attacks; empty for the administrator who runs the proof.
    prepare
        Statements that the administrator runs first in the same transaction, with the same parameters.
    rows_in
        ``(schema, table, tenant_column)`` in which two tenants must have rows. Where none are, the kernel plants some
        in the same transaction, and where it cannot, the verdict is *not run*.
    withheld
        Why the attack is not made, where nothing is promised yet; the verdict is *not run*.
    """

    promise: str
    subject: Key
    attack: str
    expect: Expectation
    role: str = ""
    prepare: tuple[str, ...] = ()
    rows_in: tuple[str, str, str] | tuple[()] = ()
    withheld: str = ""
    room: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a drill ends with: held or not, and the figures that show it."""

    held: bool
    figures: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A probe that needs a disposable server.

    ``run(ground, listener)`` gets what the caller has (a server that Freehold owns) and gives a finding.
    """

    name: str
    promise: str
    subject: Key
    run: Callable[[Any, Listener], Finding]
    room: str = ""


def nothing(declaration: Any, model: Model) -> tuple[()]:
    """The answer of a room that has none of a thing."""
    return ()


def no_classes(declaration: Any, model: Model) -> Mapping[tuple[str, str], Class]:
    """The answer of a room that classifies no table."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(Generic[D]):
    """One capability.

    Parameters
    ----------
    name
        The folder, the CLI noun, the docs page and the test folder.
    phase
        When it compiles.
    declaration
        The type the user writes, or the base of several.
    compile
        The objects that one declaration needs.
    scope
        All that it answers for.
    probes
        Sentences with an attack each. They see the finished model.
    drills
        Probes that need a disposable server.
    classify
        Ownership of metadata tables; asked before any room compiles.
    single
        Whether its declaration speaks for the whole layer, so that there is at most one.
    """

    name: str
    phase: Phase
    declaration: type[D]
    compile: Callable[[D, Model], Iterable[Object]]
    scope: Callable[[D, Model], Iterable[Scope]] = nothing
    probes: Callable[[D, Model], Iterable[Probe]] = nothing
    drills: Callable[[D, Model], Iterable[Drill]] = nothing
    classify: Callable[[D, Model], Mapping[tuple[str, str], Class]] = no_classes
    single: bool = False
