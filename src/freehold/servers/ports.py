"""TCP ports of the loopback for servers to listen on."""

from __future__ import annotations

import random
import socket
from functools import cache
from pathlib import Path

LOWEST_PORT = 20000
PORT_DRAWS = 100
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this TCP port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A TCP port of the loopback that nothing uses at this moment, and that no outgoing connection is given later."""
    for _ in range(PORT_DRAWS):
        port = random.randrange(LOWEST_PORT, _first_ephemeral())  # noqa: S311
        if port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _first_ephemeral() -> int:
    """The first port that the system gives to outgoing connections."""
    try:
        first = int(EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 32768
    return first if first > LOWEST_PORT else 65536
