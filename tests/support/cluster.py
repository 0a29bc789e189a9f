"""A real PostgreSQL server for the tests, and template databases that are cloned on it. No assertions live here."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from tests.support.database import Database
from tests.support.folders import make_reachable_folder
from wizard.demo.account import server_account
from wizard.demo.binaries import find_binaries
from wizard.demo.seed import seed_database, seed_roles
from wizard.demo.server import SUPERUSER, Server

DEFAULT_ROWS = 40
"""Clones in a test database: every category of the generator once."""

VARIANTS = Path(__file__).parent / "variants"

TEST_SETTINGS = {
    "autovacuum": "off",  # a test that wants an autovacuum in its way starts one itself
    "shared_buffers": "64MB",
    "max_prepared_transactions": "4",
}

WATCH = """
read -r _
pid=$(head -n 1 "$1/cluster/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
rm -rf "$1"
"""
"""Ends a server and removes its folder once our end of the pipe is closed: at the end of the run, however it ends."""


def server_binaries(version: str) -> Path:
    """The folder with initdb, pg_ctl and postgres of a major version; RuntimeError says how to get a missing one."""
    folder = {
        "15": Path("/usr/lib/postgresql/15/bin"),
        "17": matrix_cache() / "17" / "native" / "bin",
        "18": find_binaries(server_account()),
    }.get(version)
    if folder is None or not (folder / "initdb").exists():
        raise RuntimeError(f"no programs of PostgreSQL {version} here; run tests/support/matrix.sh {version} first")
    return folder


def matrix_cache() -> Path:
    """Where tests/support/matrix.sh puts what it fetches."""
    return Path(os.environ.get("RAG_WIZARD_TEST_CACHE", "/var/cache/rag-wizard-test"))


@dataclass
class Cluster:
    """One running server. `make_database` is what tests want; `server` is the lower floor."""

    server: Server
    version: int
    """The major version, as in 18."""
    _watcher: subprocess.Popen[bytes]
    _templates: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    @classmethod
    def start(cls, version: str, settings: Mapping[str, str] = TEST_SETTINGS, *, on_disk: bool = False) -> Cluster:
        """Create a cluster in a new folder below the system's temporary one and start it.

        `on_disk`: never in memory, however much of it there is.
        """
        account = server_account()
        programs = server_binaries(version)
        home = make_reachable_folder(programs=on_disk)
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "watch", home], stdin=subprocess.PIPE, start_new_session=True
        )
        clients = find_binaries(account)
        server = Server(programs, clients, home / "cluster", secrets.token_hex(12), account)
        try:
            server.initdb(settings)
            server.start()
            seed_roles(server)
        except BaseException:
            watcher.communicate()
            raise
        return cls(server, int(version), watcher)

    def close(self) -> None:
        """Stop the server and delete everything of it."""
        self._watcher.communicate()

    @property
    def admin(self) -> Database:
        """The maintenance database, for what concerns the whole server."""
        return Database(self.server, "postgres")

    def make_database(self, *variants: str, rows: int = DEFAULT_ROWS) -> Database:
        """A fresh clone of the CloneAI template with these variants applied in order; see tests/support/variants/."""
        return self._clone(self._template(variants, rows))

    def copy(self, database: Database) -> Database:
        """A fresh copy of a database that nobody is connected to, file by file: the faster way for a big one."""
        return self._clone(database.name, file_copy=True)

    def _clone(self, template: str, *, file_copy: bool = False) -> Database:
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self._create(name, template, file_copy=file_copy)
        return Database(self.server, name)

    def drop(self, database: Database) -> None:
        """Drop it, whoever is still connected."""
        self.admin.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database.name)),
            user=SUPERUSER,
        )

    def _template(self, variants: tuple[str, ...], rows: int) -> str:
        key = re.sub(r"\W", "_", "_".join(("cloneai", *variants, str(rows))))[:63]
        if key not in self._templates:
            self._create(key, "template0")
            seed_database(self.server, key, rows=rows, api_grants="old_grants" in variants)
            for variant in variants:
                if variant != "old_grants":
                    self.server.psql([VARIANTS / f"{variant}.sql"], dbname=key)
            self._templates[key] = key
        return key

    def _create(self, name: str, template: str, *, file_copy: bool = False) -> None:
        self.admin.execute(
            sql.SQL("create database {} template {} owner postgres{}").format(
                sql.Identifier(name), sql.Identifier(template), sql.SQL(" strategy file_copy" if file_copy else "")
            ),
            user=SUPERUSER,
        )
