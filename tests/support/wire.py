"""A TCP proxy that stands for the network: it delays both directions alike, and counts the requests it carries."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.database import Database
from wizard.demo.server import HOST

PIECE = 1 << 16
EXPECTS_ANSWER = b"QSp"
"""First bytes of messages that a client waits behind: Query, Sync, and those of the password exchange."""
TERMINATE = b"X"


@dataclass
class Wire:
    """One running proxy. `round_trip_s` is what a request and its answer together are late."""

    target_port: int
    round_trip_s: float = 0.0
    port: int = 0
    connections: int = 0
    requests: int = 0
    """Round trips so far, those of connecting included."""
    answering_s: float = 0.0
    """Seconds between requests and the end of their answers: the server's time, without the delay."""
    _asked: dict[int, float] = field(default_factory=dict)

    async def serve(self, started: Callable[[Callable[[], object]], None]) -> None:
        """Listens on a free port of the loopback; `started` is called with what ends it, from any thread."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(self._join, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        started(lambda: loop.call_soon_threadsafe(over.set))
        await over.wait()
        server.close()

    async def _join(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        server_in, server_out = await asyncio.open_connection(HOST, self.target_port)
        ways = {
            asyncio.create_task(self._requests(number, client_in, self._sender(server_out))),
            asyncio.create_task(self._answers(number, server_in, self._sender(client_out))),
        }
        # The proxy may be ended at any moment.
        with suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # What is still on its way arrives; then both ends are closed.
            await asyncio.sleep(self.round_trip_s)
        for way in ways:
            way.cancel()
        client_out.close()
        server_out.close()

    async def _requests(self, number: int, source: asyncio.StreamReader, send: Callable[[bytes], None]) -> None:
        """Cuts what the client sends where it waits for an answer, counts, and passes each request on."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await source.readexactly(4)
            request = head + await source.readexactly(int.from_bytes(head, "big") - 4)
            self._ask(number, request, send)
            request = b""
            while True:
                kind, size = await source.readexactly(1), await source.readexactly(4)
                request += kind + size + await source.readexactly(int.from_bytes(size, "big") - 4)
                if kind == TERMINATE:
                    send(request)
                elif kind in EXPECTS_ANSWER:
                    self._ask(number, request, send)
                    request = b""

    def _ask(self, number: int, request: bytes, send: Callable[[bytes], None]) -> None:
        self.requests += 1
        self._asked[number] = time.monotonic() + self.round_trip_s / 2
        send(request)

    async def _answers(self, number: int, source: asyncio.StreamReader, send: Callable[[bytes], None]) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                now = time.monotonic()
                self.answering_s += max(now - self._asked.get(number, now), 0.0)
                self._asked[number] = now
                send(piece)

    def _sender(self, sink: asyncio.StreamWriter) -> Callable[[bytes], None]:
        """Sends a piece half a round trip later, in order; nobody waits for it."""
        if not self.round_trip_s:
            return sink.write
        waiting: deque[bytes] = deque()
        loop = asyncio.get_running_loop()

        def send(piece: bytes) -> None:
            waiting.append(piece)
            loop.call_later(self.round_trip_s / 2, lambda: sink.write(waiting.popleft()))

        return send


@contextmanager
def wire_to(database: Database, round_trip_s: float = 0.0) -> Iterator[tuple[Wire, str]]:
    """A running proxy to the database's server, and the --dsn that leads through it, without TLS."""
    wire, ready, ends = Wire(database.target().port, round_trip_s), threading.Event(), list[Callable[[], object]]()

    def started(end: Callable[[], object]) -> None:
        ends.append(end)
        ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(wire.serve(started)), daemon=True)
    thread.start()
    ready.wait()
    address = f"{HOST}:{wire.port}/{database.name}?sslmode=disable&gssencmode=disable"
    try:
        yield wire, f"postgresql://postgres:{database.password}@{address}"
    finally:
        for end in ends:
            end()
        thread.join(timeout=10)
