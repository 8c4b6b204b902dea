"""PostgreSQL's programs are found in a wheel, in Debian's place, or where the caller says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.errors import BinariesMissing, ServerTooOld
from freehold.servers import Binaries, find_embedded, find_installed
from freehold.servers.account import server_account
from freehold.servers.binaries import BIN_VARIABLE, locked


def fake_release(directory: Path, release: str) -> Path:
    """A ``bin`` directory whose postgres tells the given version, as the programs of old releases do."""
    directory.mkdir()
    program = directory / "postgres"
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {release}'\n")
    program.chmod(0o755)
    return directory


def test_embedded_is_the_newest_major() -> None:
    found = find_embedded()
    assert found.version == 18
    assert found.release.startswith("18.")


def test_embedded_can_be_run_by_the_account() -> None:
    assert server_account().may_enter(find_embedded().bin)


def test_both_majors_run(binaries: Binaries, pg_major: int) -> None:
    assert binaries.version == pg_major
    assert binaries.run(server_account(), "psql", "--version").split()[-1]


def test_given_directory_and_variable(binaries: Binaries, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_installed(directory=binaries.bin).release == binaries.release
    monkeypatch.setenv(BIN_VARIABLE, str(binaries.bin))
    assert find_installed(binaries.version).bin == binaries.bin


def test_missing_program_is_named(tmp_path: Path) -> None:
    found = find_installed(directory=fake_release(tmp_path / "bin", "16.2"))
    assert found.version == 16
    with pytest.raises(BinariesMissing, match="pg_basebackup"):
        found.program("pg_basebackup")


@pytest.mark.parametrize("release", ["14.22", "19.0", "9.6.24"])
def test_unsupported_release(tmp_path: Path, release: str) -> None:
    with pytest.raises(ServerTooOld):
        find_installed(directory=fake_release(tmp_path / "bin", release))


def test_missing_major_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(BIN_VARIABLE, raising=False)
    with pytest.raises(BinariesMissing) as caught:
        find_installed(17, directory=tmp_path)
    assert "apt-get install postgresql-17" in caught.value.hint


def test_programs_that_do_not_run(tmp_path: Path) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "postgres").write_text("not a program")
    with pytest.raises(BinariesMissing, match="does not run"):
        find_installed(directory=directory)


def test_lock_is_released(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "made"):
            assert os.path.exists(tmp_path / "made.lock")
