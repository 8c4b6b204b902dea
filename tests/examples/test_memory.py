"""The loader's memory is that of a batch or two, however long the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.examples.lines import widen
from tests.examples.shop import Shop, start_loader

SHORT, LONG = 6_000, 24_000
GROWTH = 48 * 1024
"""KiB; the long file has 36 MiB more text than the short one, and holding it takes twice that."""


def test_memory_does_not_grow_with_the_input(tmp_path: Path, make_shop: Callable[[str], Shop]) -> None:
    peaks = [_peak(make_shop(f"{lines}"), widen(tmp_path / f"{lines}.parquet", lines)) for lines in (SHORT, LONG)]
    assert peaks[1] - peaks[0] < GROWTH


def _peak(shop: Shop, file: Path) -> int:
    process = start_loader(shop, file, 1_000)
    told, _ = process.communicate()
    assert process.returncode == 0
    return int(told.split()[-1])
