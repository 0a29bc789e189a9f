"""A real pgbouncer before the test server, on loopback, as an unprivileged user; it ends with its block."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.folders import reachable_folder
from wizard.demo.account import server_account
from wizard.demo.server import HOST, SUPERUSER, _free_port

ATTEMPTS = 5

CONFIG = """\
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = {max_clients}
query_wait_timeout = {query_wait_s}
server_reset_query = {reset}
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


@dataclass(frozen=True)
class Through(Database):
    """A database reached through another port of this machine, whatever listens there."""

    port: int = 0

    def conninfo(self, user: str = "postgres") -> str:
        """The same with that port."""
        return make_conninfo(super().conninfo(user), port=self.port)


@dataclass(frozen=True)
class Pooler:
    """A running pgbouncer."""

    port: int

    def through(self, database: Database) -> Through:
        """`database` as it is reached through this pooler."""
        return Through(database.server, database.name, self.port)


def port_of(database: Database) -> int:
    """The port that `database` is reached on."""
    return int(conninfo_to_dict(database.conninfo())["port"] or 0)


@contextmanager
def pgbouncer(
    cluster: Cluster,
    mode: str,
    *,
    pool_size: int = 3,
    max_clients: int = 50,
    query_wait_s: int = 120,
    reset: str = "",
    password: str = "",
) -> Iterator[Pooler]:
    """A pgbouncer in `mode` (session, transaction or statement) while the block runs.

    `reset`, what it sends to a backend that a client gave back, is empty unless given: nothing is cleaned up for us.
    `password` is what it logs in to the server with; default: the right one.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer here; tests/support/matrix.sh pgbouncer installs it")
    server_port = port_of(cluster.admin)
    account = server_account()
    with reachable_folder() as folder:
        users = folder / "users.txt"
        secret = password or cluster.server.password
        users.write_text("".join(f'"{name}" "{secret}"\n' for name in ("postgres", "reader", SUPERUSER)))
        for _ in range(ATTEMPTS):
            port = _free_port()
            config = folder / "pgbouncer.ini"
            config.write_text(
                CONFIG.format(
                    host=HOST,
                    server_port=server_port,
                    port=port,
                    users=users,
                    mode=mode,
                    pool_size=pool_size,
                    max_clients=max_clients,
                    query_wait_s=query_wait_s,
                    reset=reset,
                )
            )
            process = subprocess.Popen(
                [program, str(config)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                **(account.popen_options if account else {}),
            )
            if _is_up(process):
                break
        else:
            raise RuntimeError(f"pgbouncer does not start on {HOST}:{port}")
        try:
            yield Pooler(port)
        finally:
            _end(process)


def _is_up(process: subprocess.Popen[str]) -> bool:
    """Its own word for it; False once it gave up, for example because the port was taken meanwhile."""
    assert process.stderr
    for line in process.stderr:
        if "process up" in line:
            return True
    _end(process)
    return False


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(10)
    assert process.stderr
    process.stderr.close()
