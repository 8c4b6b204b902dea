"""Load what was written, build it beside the live database, and find what does not come out as it was."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from freehold.adopt.ways import Ways
from freehold.kernel.compile import Declared
from freehold.kernel.lenient import build_leniently
from freehold.kernel.objects import Key
from freehold.kernel.observe import Catalog, Connection
from freehold.layer import DataLayer

MODULES = ("models", "layer")


def load_layer(folder: Path) -> DataLayer:
    """The layer of a written folder, its modules forgotten afterwards."""
    with _importing(folder):
        found = importlib.import_module("layer").layer
    assert isinstance(found, DataLayer)
    return found


@contextmanager
def _importing(folder: Path) -> Iterator[None]:
    """The folder's modules come first, and take nobody's place."""
    kept = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(str(folder))
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


def differing(connection: Connection, declared: Declared, live: Catalog) -> Mapping[Key, str]:
    """The objects that would be planned, each with what is wrong."""
    built, refused = build_leniently(connection, declared.objects)
    found = dict(refused)
    for key, item in declared.objects.items():
        there, made = live.objects.get(key), built.objects.get(key)
        if item.shared or key in found or (item.kind == "column" and made is None and there is None):
            continue
        if there is None:
            found[key] = "the models ask for it, and the database has none"
        elif made is None:
            found[key] = "PostgreSQL knows it under another name after building it"
        elif made != there:
            found[key] = "PostgreSQL writes it in another way when it is built again"
    return found


def demote(ways: Ways, found: Mapping[Key, str]) -> bool:
    """Tell what differs in a plainer way, or leave it alone; whether anything was changed by it."""
    before = dict(ways.chosen)
    refused = [key for key in found if _of_a_refused_table(key, found)]
    for key, reason in found.items():
        if key not in refused:
            ways.demote(key, reason)
    ways.close()
    return before != ways.chosen


def _of_a_refused_table(key: Key, found: Mapping[Key, str]) -> bool:
    """What stands on a table that was not built is no fault of its own."""
    return key.kind != "table" and Key("table", key.name[:2]) in found


__all__ = ["demote", "differing", "load_layer"]
