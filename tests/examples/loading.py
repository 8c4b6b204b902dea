"""A loader in a process of its own, to be killed: ``python -m tests.examples.loading NAME URL KEYS FILE BATCH``."""

from __future__ import annotations

import sys
from pathlib import Path

from examples.retail.layer import DECLARATIONS
from examples.retail.load import load
from examples.retail.models import Base

from freehold import DataLayer
from freehold.events import Event


def main(name: str, url: str, keys: str, file: str, batch: str) -> None:
    """Load, saying a line after each batch; at the end, the peak of resident memory in KiB."""

    def tell(event: Event) -> None:
        sys.stdout.write(f"{event}\n")
        sys.stdout.flush()

    db = DataLayer(Base.metadata, *DECLARATIONS, name=name).connect(url, keys=keys)
    load(db, Path(file), tell, int(batch))
    db.dispose()
    sys.stdout.write(f"{_peak()}\n")


def _peak() -> str:
    """VmHWM: unlike ru_maxrss it does not begin with the size of the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(*sys.argv[1:])
