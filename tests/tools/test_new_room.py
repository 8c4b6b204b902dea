"""A new room is in the code's shape, and says itself what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import check_rooms
from tools.new_room import ROOT, begin


def test_lints_and_is_complete_but_for_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begin(tmp_path, "sample_room", "SampleRoom", "shape")
    for command in (("ruff", "check"), ("ruff", "format", "--check")):
        checked = [sys.executable, "-m", *command, "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
        done = subprocess.run(checked, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert {file.name for file in files} >= set(check_rooms.FILES)
    monkeypatch.setattr(check_rooms, "ROOT", tmp_path)
    monkeypatch.setattr(check_rooms, "ROOMS", tmp_path / "src" / "freehold" / "rooms")
    assert "sample_room: not listed in registry.py" in check_rooms.faults()


def test_leaves_a_room_alone(tmp_path: Path) -> None:
    begin(tmp_path, "sample_room", "SampleRoom", "guard")
    with pytest.raises(FileExistsError):
        begin(tmp_path, "sample_room", "SampleRoom", "guard")


def test_sections_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, "history", "History", "shape")
    readme = tmp_path / "src" / "freehold" / "rooms" / "history" / "README.md"
    readme.write_text(readme.read_text().replace("## Limits", "## Further"))
    monkeypatch.setattr(check_rooms, "ROOT", tmp_path)
    monkeypatch.setattr(check_rooms, "ROOMS", tmp_path / "src" / "freehold" / "rooms")
    monkeypatch.setattr(check_rooms, "TESTS", tmp_path / "none")
    found = check_rooms.faults()
    assert "history: README.md has no ## Limits" in found
    assert any("tests/rooms/history/test_probes.py" in fault for fault in found)
