"""Run the harnesses: ``python -m torture [NAME ...] [--scale 0.01] [--seed N] [--write]``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.changes.catalogue import CASES

from freehold.runtime.workload import ISOLATIONS, Isolation
from freehold.servers import find_embedded
from torture import (
    append,
    bank,
    changes,
    cuts,
    dead_peer,
    failover,
    false_success,
    hermitage,
    injection,
    long_fork,
    replicas,
    report,
    retry,
    schemas,
    tampering,
    tenants,
    tpcc,
)
from torture.interference import harness as interference
from torture.result import Result


@dataclass(frozen=True)
class Harness:
    """A harness: the name to call it by, how many cases make its full size, and what runs it."""

    name: str
    full_size: int
    run: Callable[[int, int], Result]


def _append(level: Isolation) -> Harness:
    return Harness(f"append {level}", 100_000, lambda size, seed: append.run(size, seed, level))


HARNESSES = (
    Harness("hermitage", 168, hermitage.run),
    *map(_append, ISOLATIONS),
    Harness("bank", 20, bank.run),
    Harness("tpcc", 20, tpcc.run),
    Harness("retry", 20_000, retry.run),
    Harness("cuts", 10_000, cuts.run),
    Harness("failover", 200, failover.run),
    Harness("false success", 1_000, false_success.run),
    Harness("tenants", 100_000, tenants.run),
    Harness("injection", 10_000, injection.run),
    Harness("tampering", 1_000, tampering.run),
    Harness("changes", len(CASES), changes.run),
    Harness("schemas", 250, schemas.run),
    Harness("interference", 50_000, interference.run),
    Harness("interference subscriptions", 50_000, interference.run_subscriptions),
    Harness("dead peer", 100, dead_peer.run),
    Harness("replicas", 100_000, replicas.run),
    Harness("long fork", 200_000, long_fork.run),
)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m torture", description="Attack the runtime.")
    parser.add_argument("names", nargs="*", help="harnesses; all where none is named")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    return parser.parse_args(given)


def chosen(names: Sequence[str]) -> list[Harness]:
    """The harnesses whose names begin with one of these words."""
    return [each for each in HARNESSES if not names or each.name.startswith(tuple(names))]


def main(given: Sequence[str]) -> int:
    """Run what is asked for; 0 where everything held."""
    options = arguments(given)
    # The pool tells of every connection that a killed server took with it; here that is what was asked for.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    about = report.versions(f"PostgreSQL {find_embedded().release}")
    failed = 0
    for harness in chosen(options.names):
        size = max(1, round(harness.full_size * options.scale))
        result = harness.run(size, options.seed)
        failed += not result.held
        print(report.as_row(result, about), flush=True)
        if options.write:
            report.write([result], about, [each.name for each in HARNESSES])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
