"""Run every benchmark and write docs/benchmarks.md: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import re
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
    thousand,
    transaction,
)
from benchmarks.changes import run as changes
from benchmarks.measure import Section, machine
from freehold.servers import disposable, find_embedded

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ON_A_SERVER = {
    "transaction": transaction.run,
    "bulk": bulk.run,
    "plan": plan_500.run,
    "thousand": thousand.run,
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
    """Run the named benchmarks, or all: these write the document anew, those their own sections of it."""
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
    if "changes" in names:  # an hour and more: not among all of them
        sections.append(changes.run(names[names.index("changes") + 1 :]))
        print(sections[-1].as_markdown(), flush=True)
    if names:
        text = DOCUMENT.read_text(encoding="utf-8")
        for section in sections:
            text = with_section(text, section)
    else:
        about = f"Machine: {machine(f'PostgreSQL {binaries.release} (embedded), fsync on')}\n"
        text = "\n".join([INTRODUCTION, about, *(section.as_markdown() for section in sections)])
    DOCUMENT.write_text(text, encoding="utf-8")


def with_section(text: str, section: Section) -> str:
    """The document with a section in the place of the one of its title, or at the end."""
    found = re.search(rf"^## {re.escape(section.title)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        return f"{text.rstrip()}\n\n{section.as_markdown()}"
    rest = text[found.end() :]
    return text[: found.start()] + section.as_markdown() + ("\n" + rest if rest else "")


if __name__ == "__main__":
    main(sys.argv[1:])
