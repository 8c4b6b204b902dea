"""How each object of a database is told: by a model, by the layer as it is, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freehold.adopt.constraints import foreign_key
from freehold.adopt.parse import parts_of
from freehold.kernel.objects import Constraint, Key, Object, Table
from freehold.kernel.observe import Catalog
from freehold.kernel.unmanaged import Survey


class Way(StrEnum):
    """How an object is told."""

    MODEL = "model"
    RAW = "raw"
    """By a model, its type in the server's own words."""
    EXTRA = "extra"
    LEFT = "left"


MODELS = frozenset({"table", "column", "constraint", "index", "enum", "domain", "sequence"})
EXTRAS = frozenset({"schema", "extension", "function", "view", "trigger", "policy", "row_security"})
SILENT = frozenset({"role", "membership", "setting", "owner", "grant", "default_privilege"})
"""Kinds that a layer without roles leaves alone as a whole: who may do what stays as it is."""

OWN_SCHEMA = "freehold"
ALWAYS_THERE = frozenset({Key("schema", ("public",)), Key("extension", ("plpgsql",))})


@dataclass
class Ways:
    """The ways of one database's objects, with the reason of each that is left alone."""

    survey: Survey
    chosen: dict[Key, Way] = field(default_factory=dict)
    reasons: dict[Key, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for known in self.survey.unmanaged:
            self.reasons[Key(known.kind, (known.name,))] = "of no kind that Freehold manages"
        for key, item in self.catalog.objects.items():
            if key not in ALWAYS_THERE and key.kind not in SILENT:
                self._begin(key, item)
        for key, cause in self.survey.standing.items():
            if key in self.chosen:
                self.leave(key, f"stands on {cause}")
        self.close()

    def _begin(self, key: Key, item: Object) -> None:
        if key.name[0] == OWN_SCHEMA and key.kind != "extension":
            self.leave(key, "Freehold's own schema")
        elif key.kind == "event_trigger":
            self.leave(key, "an event trigger of the whole database")
        elif key.kind in MODELS | EXTRAS:
            self.chosen[key] = _first(item)

    @property
    def catalog(self) -> Catalog:
        """The database as it is."""
        return self.survey.catalog

    def of(self, key: Key) -> Way | None:
        """The way of an object, or None for one that nothing is said of."""
        return self.chosen.get(key)

    def told(self, key: Key) -> bool:
        """Whether the layer tells of an object."""
        return self.chosen.get(key, Way.LEFT) is not Way.LEFT

    def leave(self, key: Key, reason: str) -> None:
        """Leave an object alone, for the first reason that was found."""
        self.chosen[key] = Way.LEFT
        self.reasons.setdefault(key, reason)

    @property
    def left(self) -> Mapping[Key, str]:
        """What is left alone, and why; a table's own columns and keys go without saying."""
        found = {key: reason for key, reason in self.reasons.items() if not self.told(key)}
        return {key: reason for key, reason in found.items() if not _within(key, found)}

    def demote(self, key: Key, reason: str) -> None:
        """Tell an object in the next plainer way, or leave it alone."""
        way = self.chosen.get(key)
        if key.kind == "column":
            self._demote_column(key, way, reason)
        elif way is Way.MODEL and key.kind not in {"table", "sequence"}:
            self.chosen[key] = Way.EXTRA
        elif way is not None:
            self.leave(key, reason)

    def pass_on(self, key: Key) -> None:
        """Let the layer tell what the models have no words for."""
        self.chosen[key] = Way.EXTRA

    def _demote_column(self, key: Key, way: Way | None, reason: str) -> None:
        if way is Way.MODEL:
            self.chosen[key] = Way.RAW
        else:
            self.leave(Key("table", key.name[:2]), reason)

    def close(self) -> None:
        """Leave alone what stands on what is left alone."""
        found = True
        while found:
            found = False
            for key, item in self.catalog.objects.items():
                base = self._missing(key, item) if self.told(key) else None
                if base is not None:
                    self.leave(key, f"stands on {_whole(base)}")
                    found = True

    def _missing(self, key: Key, item: Object) -> Key | None:
        return next((need for need in self._needs(key, item) if self.chosen.get(need) is Way.LEFT), None)

    def _needs(self, key: Key, item: Object) -> Iterable[Key]:
        """What an object cannot be without."""
        yield from self.catalog.needs.get(key, ())
        yield from (parent for parent in item.parents if parent in self.catalog.objects and parent.kind != "role")
        if isinstance(item, Table):
            yield from (column.key for column in item.columns)
            if item.parent:
                yield Key("table", parts_of(item.parent))
        if isinstance(item, Constraint) and item.type == "f" and (target := foreign_key(item)) is not None:
            yield Key("table", target.table)


_WITHIN = frozenset({"column", "constraint", "trigger", "policy", "row_security"})
"""Kinds whose names begin with their table's."""


def _within(key: Key, found: Mapping[Key, str]) -> bool:
    return key.kind in _WITHIN and Key("table", key.name[:2]) in found


def _whole(key: Key) -> Key:
    """The table of a column or constraint."""
    return Key("table", key.name[:2]) if key.kind in _WITHIN else key


def _first(item: Object) -> Way:
    if item.kind in EXTRAS:
        return Way.EXTRA
    return Way.MODEL
