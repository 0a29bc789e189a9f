"""The demo database for the rest of the program: open it, get a target. How it is made and shared is beside this."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from wizard.db.target import Target
from wizard.demo.account import server_account
from wizard.demo.binaries import find_binaries
from wizard.demo.place import Place, Record
from wizard.demo.seed import DEFAULT_ROWS, seed_database, seed_roles
from wizard.demo.server import HOST, Server
from wizard.demo.types_file import make_types_file
from wizard.errors import ConnectionUnsuitableError, UsageError

Announce = Callable[[str], None]


@contextmanager
def open_demo(
    state_dir: Path, *, fresh: bool = False, rows: int | None = None, announce: Announce = lambda _: None
) -> Iterator[Target]:
    """Serve the demo database of `state_dir` while the block runs; made on first use, kept afterwards.

    Processes that open the same one share a server; the last to close it stops it. `fresh` begins anew with `rows`
    clones (default DEFAULT_ROWS). `announce` gets one sentence when something takes longer than a moment.

    Raises UsageError: the extra `demo` is missing; `fresh` while another process uses it; `rows` is not the size of
    the one that is there. Raises ConnectionUnsuitableError if the server does not start, with its own words.
    """
    if sys.platform == "win32":
        raise UsageError("The demo database runs on Linux and macOS only.", fix="Name a database with --dsn.")
    from wizard.demo.sharing import Sharing

    if rows is not None and rows < 1:
        raise UsageError(f"--rows {rows} is not a size: the demo database needs at least 1 clone.")
    account = server_account()
    demo = _Demo(Place(state_dir, account), find_binaries(account), announce)
    try:
        demo.place.make_folder()
    except OSError as error:
        raise UsageError(
            f"The demo database cannot be kept in {demo.place.folder}: {error.strerror}.",
            fix="Name a folder that you can write with --state-dir.",
        ) from error
    sharing = Sharing(demo.place.folder)
    with sharing.turn():
        if fresh and sharing.is_used():
            raise UsageError(
                "The demo database is in use by another rag-wizard, so it cannot begin anew. Nothing was changed.",
                fix="Quit the other one first, or use another --state-dir.",
            )
        server, made = demo.serve(fresh=fresh, rows=rows)
        make_types_file(state_dir, anew=made)
        sharing.join()
    try:
        yield _target(server)
    finally:
        with sharing.turn():
            if sharing.leave():
                server.stop()


class _Demo:
    """The cluster of one place, made and started while it is this process's turn."""

    def __init__(self, place: Place, programs: Path, announce: Announce) -> None:
        self.place = place
        self._programs = programs
        self._announce = announce

    def serve(self, *, fresh: bool, rows: int | None) -> tuple[Server, bool]:
        """The running server: reused, started, or made; True if it was made."""
        record = self.place.read()
        if record is not None and (fresh or not record.complete):
            server = self._server(record)
            server.stop()
            server.remove()
            record = None
        if record is None or not record.data_dir.exists():
            return self._make(rows or DEFAULT_ROWS), True
        if rows is not None and rows != record.rows:
            raise UsageError(
                f"The demo database has {record.rows} clones, not {rows}. Nothing was changed.",
                why="Its size is fixed when it is made, and it is kept between starts.",
                fix=f"Add --fresh to begin anew with {rows}, or leave --rows out.",
            )
        server = self._server(record)
        if server.running_port() is None:
            _start(server)
        return server, False

    def _make(self, rows: int) -> Server:
        self._announce(f"Making the demo database with {rows} clones, once ...")
        password = SecretStr(secrets.token_urlsafe(18))
        record = Record(data_dir=self.place.make_data_dir(), password=password, rows=rows, complete=False)
        self.place.write(record)
        server = self._server(record)
        server.initdb()
        _start(server)
        try:
            seed_roles(server)
            seed_database(server, "postgres", rows=rows)
        except BaseException:
            server.stop()
            raise
        self.place.write(record.model_copy(update={"complete": True}))
        return server

    def _server(self, record: Record) -> Server:
        password = record.password.get_secret_value()
        return Server(self._programs, self._programs, record.data_dir, password, server_account())


def _start(server: Server) -> None:
    try:
        server.start()
    except ConnectionUnsuitableError as error:
        raise ConnectionUnsuitableError(
            "The demo database did not start.",
            why=error.why,
            fix=f"{error.fix} rag-wizard --demo --fresh begins anew; what was tried out in it is lost.",
        ) from error


def _target(server: Server) -> Target:
    conninfo = server.conninfo("postgres")
    return Target(
        conninfo=SecretStr(conninfo),
        name="demo",
        host=HOST,
        port=int(conninfo_to_dict(conninfo)["port"] or 0),
        dbname="postgres",
        user="postgres",
        source="demo",
        env="demo",
        production=False,
        local=True,
    )
