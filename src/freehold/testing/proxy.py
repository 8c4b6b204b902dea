"""A TCP proxy in front of a server whose connections a test can cut: with a reset, politely, or by silence."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

CHUNK = 65536
TICK = 0.02
LINGER_ZERO = struct.pack("ii", 1, 0)


class Cut(Enum):
    """How a connection ends."""

    RESET = "reset"  # RST, as when a process or a firewall dies
    CLOSE = "close"  # FIN, as when a proxy shuts down
    SILENCE = "silence"  # nothing more arrives, as when a cable is pulled


@dataclass(slots=True)
class Held:
    """A client's message that is under way while its connection is gone, as in a switch that comes back to life."""

    sprung: threading.Event = field(default_factory=threading.Event)
    data: bytes = b""
    server: socket.socket | None = None

    def release(self, wait: float = 1.0) -> bytes:
        """Let the message arrive at the server at last; gives the answer that nobody reads.

        Parameters
        ----------
        wait
            Seconds without another byte after which the answer is whole.
        """
        assert self.server is not None, "nothing was held"
        answer = b""
        with self.server as server:
            server.settimeout(wait)
            try:
                server.sendall(self.data)
                while chunk := server.recv(CHUNK):
                    answer += chunk
            except OSError:
                pass  # silent for long enough, or ended by the server
        return answer


@dataclass(slots=True)
class _Trap:
    """Cut once, at the first client message that holds these bytes."""

    needle: bytes
    how: Cut
    forward: bool
    sprung: threading.Event = field(default_factory=threading.Event)
    held: Held | None = None
    at_once: bool = False


@dataclass(slots=True, eq=False)
class _Pair:
    client: socket.socket
    server: socket.socket
    silent: bool = False
    answer_awaited: _Trap | None = None

    def end(self, how: Cut) -> None:
        if how is Cut.SILENCE:
            self.silent = True
            return
        for side in (self.client, self.server):
            if how is Cut.RESET:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            side.close()


class KillableProxy:
    """Forwards TCP to ``host:port`` from a port of its own, ``self.port`` on 127.0.0.1.

    One thread serves all connections; public methods hand it their wish and wait until it is done. Without TLS the
    bytes can be watched: ``cut_before(b"COMMIT")`` ends the connection before the server sees the message,
    ``cut_after(b"COMMIT")`` once the server has answered it, and the answer is swallowed.
    """

    host = "127.0.0.1"

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._pairs: list[_Pair] = []
        self._trap: _Trap | None = None
        self._muted: list[socket.socket] = []
        self._accepting = True
        self._stopping = False
        self._wishes: list[tuple[Callable[[], None], threading.Event]] = []
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="killable-proxy", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many connections pass through now."""
        return len(self._pairs)

    def cut(self, how: Cut = Cut.RESET) -> None:
        """End every connection."""
        self._wish(lambda: self._end_all(how))

    def cut_before(self, needle: bytes, how: Cut = Cut.RESET) -> threading.Event:
        """Arm: the next client message that holds ``needle`` is lost. The event is set when it happened."""
        return self._arm(_Trap(needle, how, forward=False))

    def cut_after(self, needle: bytes, how: Cut = Cut.RESET) -> threading.Event:
        """Arm: the next client message that holds ``needle`` reaches the server, and its answer is lost."""
        return self._arm(_Trap(needle, how, forward=True))

    def cut_with(self, needle: bytes, how: Cut = Cut.RESET) -> threading.Event:
        """Arm: the next client message that holds ``needle`` goes on, and the cut follows it at once, in a race."""
        return self._arm(_Trap(needle, how, forward=True, at_once=True))

    def hold(self, needle: bytes, how: Cut = Cut.RESET) -> Held:
        """Arm: the client of the next message that holds ``needle`` is cut off, and the message waits.

        The server knows nothing of it: :meth:`Held.release` lets the message arrive.
        """
        held = Held()
        self._arm(_Trap(needle, how, forward=False, sprung=held.sprung, held=held))
        return held

    def redirect(self, host: str, port: int) -> None:
        """Lead new connections to another server, as an address does that moves in a failover."""
        self._wish(lambda: setattr(self, "_target", (host, port)))

    def refuse(self) -> None:
        """Reset new connections from now on."""
        self._wish(lambda: setattr(self, "_accepting", False))

    def resume(self) -> None:
        """Accept new connections again and disarm; connections that fell silent stay so."""

        def restore() -> None:
            self._accepting, self._trap = True, None

        self._wish(restore)

    def close(self) -> None:
        """End every connection and the proxy; what is asked of it afterwards raises ``RuntimeError``."""
        self._stopping = True
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _arm(self, trap: _Trap) -> threading.Event:
        self._wish(lambda: setattr(self, "_trap", trap))
        return trap.sprung

    def _wish(self, action: Callable[[], None]) -> None:
        done = threading.Event()
        self._wishes.append((action, done))
        while not done.wait(TICK):
            if not self._thread.is_alive() and not done.is_set():
                raise RuntimeError("the proxy has ended")

    def _serve(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(TICK):
                self._handle(key)
            while self._wishes:
                action, done = self._wishes.pop(0)
                action()
                done.set()
        self._end_all(Cut.CLOSE)
        self._forget_silent()
        self._selector.close()
        self._listener.close()

    def _handle(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._listener:
            self._accept()
        elif isinstance(key.fileobj, socket.socket) and key.data in self._pairs and not key.data.silent:
            self._forward(key.data, key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = self._dial() if self._accepting else None
        if server is None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            client.close()
            return
        pair = _Pair(client, server)
        self._pairs.append(pair)
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(side, selectors.EVENT_READ, pair)

    def _dial(self) -> socket.socket | None:
        try:
            return socket.create_connection(self._target, timeout=5)
        except OSError:
            return None

    def _forward(self, pair: _Pair, source: socket.socket) -> None:
        try:
            data = source.recv(CHUNK)
            if not data:
                self._end(pair, Cut.CLOSE)
            elif self._passes(pair, source, data):
                (pair.server if source is pair.client else pair.client).sendall(data)
        except OSError:
            self._end(pair, Cut.RESET)

    def _passes(self, pair: _Pair, source: socket.socket, data: bytes) -> bool:
        """Whether the bytes go on; springs the trap when they are what it waits for."""
        if source is pair.server:
            return self._spring(pair, pair.answer_awaited) if pair.answer_awaited else True
        trap = self._trap
        if trap is None or trap.needle not in data:
            return True
        self._trap = None
        if trap.at_once:
            pair.server.sendall(data)
            return self._spring(pair, trap)
        if trap.forward:
            pair.answer_awaited = trap
            return True
        if trap.held is not None:
            return self._hold(pair, trap, trap.held, data)
        return self._spring(pair, trap)

    def _hold(self, pair: _Pair, trap: _Trap, held: Held, data: bytes) -> bool:
        self._drop(pair)
        held.data, held.server = data, pair.server
        trap.sprung.set()
        if trap.how is Cut.RESET:
            pair.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        if trap.how is not Cut.SILENCE:
            pair.client.close()
        else:
            self._muted.append(pair.client)
        return False

    def _spring(self, pair: _Pair, trap: _Trap) -> bool:
        # Before the client can see it, who then may ask.
        trap.sprung.set()
        self._end(pair, trap.how)
        return False

    def _end(self, pair: _Pair, how: Cut) -> None:
        if how is Cut.SILENCE:
            for side in (pair.client, pair.server):
                self._selector.unregister(side)
        elif pair in self._pairs:
            self._drop(pair)
        pair.end(how)

    def _drop(self, pair: _Pair) -> None:
        self._pairs.remove(pair)
        registered = self._selector.get_map()
        for side in (pair.client, pair.server):
            if side.fileno() in registered:
                self._selector.unregister(side)

    def _end_all(self, how: Cut) -> None:
        for pair in [pair for pair in self._pairs if not pair.silent]:
            self._end(pair, how)

    def _forget_silent(self) -> None:
        for client in self._muted:
            client.close()
        for pair in list(self._pairs):
            self._drop(pair)
            pair.end(Cut.CLOSE)
