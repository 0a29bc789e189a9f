"""A TCP proxy that speaks just enough of PostgreSQL's protocol to interfere at a chosen request."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from tests.support.database import Database


class Fault(Enum):
    """What is done to a connection at a request."""

    PASS = "pass"
    CUT_BEFORE = "cut before the request reached the server"
    CUT_DURING = "cut while the server works on it"
    CUT_ANSWER = "cut after the server's answer, which is lost"
    SILENCE = "cut before the request reached the server, which hears nothing of that either"
    CRASH = "the server crashes while it works on it"


Judge = Callable[[int, str], Fault]
"""Called with the number of a writing request, from 0, and its text, before it is passed on."""

REGISTRY = tuple(
    f"{verb} rag_wizard" for verb in ("INSERT INTO", "UPDATE", "DELETE FROM", "CREATE SCHEMA", "DROP SCHEMA")
)
OUTSIDE = ("INDEX CONCURRENTLY", "SET lock_timeout")
"""Statements outside of a transaction, and the setting around them."""
HEARTBEAT = "SET heartbeat_at"


class Proxy:
    """Listens on a free port of the loopback; every writing request of every connection is judged first.

    A request is what a client sends up to a Query or Sync message. Writing ones are those that touch the registry
    (intents, parts, session and rollout rows), and those outside of a transaction; but not the heartbeat, which comes
    by the clock.
    """

    def __init__(self, port: Callable[[], int], judge: Judge, crash: Callable[[], None]) -> None:
        self._server_port = port
        self._judge = judge
        self._crash = crash
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._count = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.port = self._listener.getsockname()[1]
        self.seen: list[str] = []
        """Text of every writing request so far."""

    def run(self) -> None:
        """Serves until `close`."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._over.set()
        # Only a shutdown wakes a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port()))
        except OSError:
            client.close()
            return
        lost, over = threading.Event(), threading.Event()
        answering = threading.Thread(target=self._answers, args=(server, client, lost, over), daemon=True)
        answering.start()
        with client, server:
            with suppress(OSError):
                self._requests_of(client, server, lost, over)
            _shut(client, server)
            answering.join()

    def _requests_of(
        self, client: socket.socket, server: socket.socket, lost: threading.Event, over: threading.Event
    ) -> None:
        for request in _requests(client):
            fault = self._judged(request)
            if fault is Fault.CUT_BEFORE:
                return
            if fault is Fault.SILENCE:
                _shut(client)
                self._over.wait()
                return
            if fault is Fault.CUT_ANSWER:
                lost.set()
            server.sendall(request)
            if fault is Fault.CRASH:
                self._crash()
            if fault in {Fault.CUT_DURING, Fault.CRASH}:
                return
            if fault is Fault.CUT_ANSWER:
                over.wait()
                return

    def _judged(self, request: bytes) -> Fault:
        text = request.decode("utf-8", "replace")
        if HEARTBEAT in text or not any(mark in text for mark in (*REGISTRY, *OUTSIDE)):
            return Fault.PASS
        with self._lock:
            number = self._count
            self._count += 1
            self.seen.append(text)
        return self._judge(number, text)

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, lost: threading.Event, over: threading.Event) -> None:
        """Passes answers on; with `lost` set, swallows one whole answer instead. Sets `over` behind the last."""
        swallowed = b""
        with suppress(OSError):
            while data := server.recv(65536):
                if not lost.is_set():
                    client.sendall(data)
                    continue
                swallowed += data
                # ReadyForQuery ends an answer: 'Z', length 5, the transaction's state.
                if swallowed[-6:-1] == b"Z\x00\x00\x00\x05":
                    break
        over.set()
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    """Ends both directions at once: closing alone would leave a thread that is reading where it is."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _requests(client: socket.socket) -> Iterator[bytes]:
    """What the client sends, cut where the server is expected to answer."""
    yield _exactly(client, struct.unpack("!I", head := _exactly(client, 4))[0] - 4, head)
    request = b""
    while True:
        kind = _exactly(client, 1)
        length = _exactly(client, 4)
        request += kind + length + _exactly(client, struct.unpack("!I", length)[0] - 4)
        # Query, Sync, and the messages of the password exchange.
        if kind in b"QSp":
            yield request
            request = b""


def _exactly(sock: socket.socket, size: int, head: bytes = b"") -> bytes:
    data = head
    while len(data) < size + len(head):
        piece = sock.recv(size + len(head) - len(data))
        if not piece:
            raise OSError("closed")
        data += piece
    return data


@contextmanager
def proxy_to(port: Callable[[], int], judge: Judge, crash: Callable[[], None]) -> Iterator[Proxy]:
    """A running proxy; `crash` lets the server crash."""
    proxy = Proxy(port, judge, crash)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=5)


def url_through(proxy: Proxy, database: Database, user: str = "postgres") -> str:
    """--dsn for `database` through `proxy`; without TLS, so that it can read along."""
    return (
        f"postgresql://{user}:{database.password}@127.0.0.1:{proxy.port}/{database.name}"
        "?sslmode=disable&gssencmode=disable"
    )
