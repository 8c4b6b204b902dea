"""Begin a room: ``python -m tools.new_room <name> <Declaration> --phase shape``.

What it writes does not pass the tests: the sabotage test fails until it is written, and the room is not registered.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "room"
PHASES = ("shape", "guard", "operate")
_NAME, _DECLARATION = re.compile(r"[a-z][a-z_]*"), re.compile(r"([A-Z][a-z0-9]*)+")


def begin(root: Path, name: str, declaration: str, phase: str) -> list[Path]:
    """Write the folder of a room and that of its tests; the files.

    Raises
    ------
    FileExistsError
        The room is there.
    """
    room, tests = root / "src" / "freehold" / "rooms" / name, root / "tests" / "rooms" / name
    room.mkdir(parents=True)
    (room / "sql").mkdir()
    tests.mkdir(parents=True, exist_ok=True)
    (tests / "__init__.py").touch()
    return [_write(source, room, tests, name, declaration, phase) for source in sorted(TEMPLATES.glob("*.tmpl"))]


def _write(source: Path, room: Path, tests: Path, name: str, declaration: str, phase: str) -> Path:
    target = source.name.removesuffix(".tmpl")
    file = (tests if target.startswith("test_") else room) / target
    text = Template(source.read_text(encoding="utf-8"))
    file.write_text(text.substitute(name=name, declaration=declaration, phase=phase.upper()), encoding="utf-8")
    return file


def main() -> None:
    """Write the room, and say what is left to do."""
    parser = argparse.ArgumentParser(description="Begin a room.")
    parser.add_argument("name", help="lower case with underscores, such as soft_delete")
    parser.add_argument("declaration", help="the class that the user writes, such as SoftDelete")
    parser.add_argument("--phase", choices=PHASES, default="shape")
    given = parser.parse_args()
    if not _NAME.fullmatch(given.name) or not _DECLARATION.fullmatch(given.declaration):
        parser.error("the name is lower case with underscores, the declaration a class name")
    try:
        files = begin(ROOT, given.name, given.declaration, given.phase)
    except FileExistsError as error:
        parser.error(f"{error.filename} is there already")
    lines = [*(str(file.relative_to(ROOT)) for file in files), "", "Then one line in src/freehold/registry.py."]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
