"""Another process asks what became of transactions: it gets their tokens on its standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.runtime import Key, KeyRing
from torture.ground import Ground
from torture.vault import layer


def ask_elsewhere(where: Ground, tokens: Sequence[str]) -> list[str]:
    """The verdicts that a new process is given."""
    if not tokens:
        return []
    key = where.keys.signing
    question = {"url": where.url, "key": key.key_id, "secret": key.secret.hex(), "tokens": list(tokens)}
    done = subprocess.run(
        [sys.executable, "-m", "torture.asking"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    verdicts: list[str] = json.loads(done.stdout)
    return verdicts


def main() -> None:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    keys = KeyRing((Key(asked["key"], bytes.fromhex(asked["secret"])),))
    db = layer().connect(asked["url"], keys=keys)
    json.dump([db.resolve(token).verdict.value for token in asked["tokens"]], sys.stdout)
    db.dispose()


if __name__ == "__main__":
    main()
