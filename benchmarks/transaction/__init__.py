"""One tenant-scoped transaction beside what others would use for it."""

from benchmarks.transaction.measured import run

__all__ = ["run"]
