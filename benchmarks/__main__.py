"""Run every benchmark and write docs/benchmarks.md: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import (
    audit_cost,
    bulk,
    context_cost,
    history_cost,
    history_peers,
    plan_500,
    retail,
    rules_cost,
    transaction,
)
from benchmarks.measure import machine
from freehold.servers import disposable, find_embedded

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ON_A_SERVER = {
    "transaction": transaction.run,
    "bulk": bulk.run,
    "plan": plan_500.run,
    "context": context_cost.run,
    "history": history_cost.run,
    "peers": history_peers.run,
    "rules": rules_cost.run,
    "audit": audit_cost.run,
}
INTRODUCTION = """# Benchmarks

Ratios, each against a named alternative in one interleaved run; written by `make bench`. Read the ratios: the seconds
belong to the machine. None of these figures is a test.
"""


def main(names: list[str]) -> None:
    """Run the named benchmarks, all without names; only a full run rewrites the document."""
    binaries = find_embedded()
    sections = []
    for name, run in ON_A_SERVER.items():
        if not names or name in names:
            with disposable(binaries, settings={"max_wal_size": "4GB"}, durable=True) as server:
                sections.append(run(server))
                print(sections[-1].as_markdown(), flush=True)
    if not names or "retail" in names:
        for section in retail.run():
            sections.append(section)
            print(section.as_markdown(), flush=True)
    if not names:
        about = f"Machine: {machine(f'PostgreSQL {binaries.release} (embedded), fsync on')}\n"
        text = "\n".join([INTRODUCTION, about, *(section.as_markdown() for section in sections)])
        DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
