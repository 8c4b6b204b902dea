"""A relay whose process is killed right after its target took a message: ``python -m ... <url> <file>``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from freehold.runtime.outbox import Message
from freehold.runtime.relay import Relay


def take_and_die(message: Message) -> None:
    """Keep the token, and be gone before anybody hears of it."""
    Path(sys.argv[2]).write_text(message.token)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Relay(sys.argv[1], {"*": take_and_die}, lease=1.0).run()
