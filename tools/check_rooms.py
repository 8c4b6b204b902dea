"""Say what is missing from a room: ``python -m tools.check_rooms`` fails and names it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.kernel.room import Room, nothing
from freehold.registry import OWN

ROOT = Path(__file__).parents[1]
ROOMS = ROOT / "src" / "freehold" / "rooms"
TESTS = ROOT / "tests" / "rooms"
FILES = ("__init__.py", "README.md", "declare.py", "compile.py")
SECTIONS = ("**Promise.**", "## Declared", "## Compiles to", "## Proved by", "## Limits")


def faults() -> list[str]:
    """What is missing, one line each."""
    registered = {room.name: room for room in OWN}
    folders = sorted(place.name for place in ROOMS.iterdir() if (place / "__init__.py").exists())
    found = [f"{name}: not listed in registry.py" for name in folders if name not in registered]
    for name, room in registered.items():
        found += [f"{name}: {fault}" for fault in _missing(name, room)]
    return found


def _missing(name: str, room: Room[Any]) -> Iterator[str]:
    folder = ROOMS / name
    if not folder.is_dir():
        yield f"its folder is not {folder.relative_to(ROOT)}"
        return
    yield from (f"no {file}" for file in FILES if not (folder / file).exists())
    yield from _missing_sections(folder / "README.md", name)
    if room.probes is not nothing:
        yield from _missing_proof(name, "probes.py", "test_probes.py")
    if room.drills is not nothing:
        yield from _missing_proof(name, "drill.py", "test_drill.py")
    if room.probes is nothing and room.drills is nothing:
        yield "neither probes nor drills: nothing proves what it promises"


def _missing_sections(readme: Path, name: str) -> Iterator[str]:
    if not readme.exists():
        return
    text = readme.read_text(encoding="utf-8")
    if not text.startswith(f"# {name}\n"):
        yield f"README.md does not begin with '# {name}'"
    yield from (f"README.md has no {section}" for section in SECTIONS if section not in text)


def _missing_proof(name: str, source: str, test: str) -> Iterator[str]:
    if not (ROOMS / name / source).exists():
        yield f"no {source}"
    if not (TESTS / name / test).exists():
        yield f"no tests/rooms/{name}/{test}, which breaks each promise and sees it turn red"


def main() -> None:
    """Print the faults."""
    found = faults()
    sys.exit("\n".join(found) if found else 0)


if __name__ == "__main__":
    main()
