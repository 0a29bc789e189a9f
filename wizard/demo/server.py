"""One PostgreSQL cluster in one folder: create, start, stop, ask. Nothing of demos, sharing or what is inside."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from psycopg.conninfo import make_conninfo

from wizard.demo.account import Account
from wizard.errors import ConnectionUnsuitableError

SUPERUSER = "supabase_admin"
"""The bootstrap superuser, named as on Supabase: only then can `postgres` be an ordinary role (PostgreSQL 16+)."""

HOST = "127.0.0.1"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "max_connections": "60",
    "wal_level": "logical",
    "statement_timeout": "2min",  # the cap that a hosted project sets
    # What is in here can be made again: a crash of the machine may cost it.
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
}
"""postgresql.conf of every cluster made here."""

START_ATTEMPTS = 5

PASSING_REASONS = (
    "Address already in use",  # somebody took the port since we found it free
    "pre-existing shared memory block",  # the backends of a killed server are still on their way out
    'lock file "postmaster.pid" already exists',
)
"""Words of a failed start (its log is in English) that make another try worth while."""


@dataclass(frozen=True)
class Server:
    """A cluster. `account` runs it (None: we do ourselves); `password` is that of its login roles."""

    bin_dir: Path
    """initdb, pg_ctl and postgres."""
    client_dir: Path
    """psql and pg_dump; of the same or a newer version."""
    data_dir: Path
    """Absolute and resolved. Its parent exists and `account` can pass it."""
    password: str = field(repr=False)
    account: Account | None = None

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self.data_dir / "server.log"

    def log_text(self) -> str:
        """All of the server's log; empty before its first start."""
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def initdb(self, settings: Mapping[str, str] | None = None) -> None:
        """Create the cluster in an absent or empty `data_dir`. Raises ConnectionUnsuitableError with initdb's words."""
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        self._give_to_account(self.data_dir)
        password_file = self.data_dir.with_name(f"{self.data_dir.name}.pw")
        password_file.touch(mode=0o600)
        try:
            self._give_to_account(password_file)
            password_file.write_text(self.password, encoding="utf-8")
            arguments = ["--username", SUPERUSER, "--pwfile", str(password_file), "--auth", "scram-sha-256"]
            # Small WAL segments: a third less to write, and to copy.
            arguments += ["--wal-segsize", "4", "--no-sync", "--no-instructions"]
            self._run("initdb", *arguments, "--encoding", "UTF8", "--no-locale")
        finally:
            password_file.unlink()
        lines = [f"{name} = '{value}'\n" for name, value in {**SETTINGS, **(settings or {})}.items()]
        with (self.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(lines)

    def start(self) -> int:
        """Start the cluster on a free port of the loopback address; returns the port once it takes connections."""
        self._drop_stale_pid_file()
        for attempt in range(1, START_ATTEMPTS + 1):
            port = _free_port()
            log, logged_before = str(self.log_path), len(self.log_text())
            try:
                self._run("pg_ctl", "start", "--wait", "--silent", "--log", log, "--options", f"-p {port}")
            except ConnectionUnsuitableError as error:
                words = self.log_text()[logged_before:].strip()
                if attempt == START_ATTEMPTS or not any(reason in words for reason in PASSING_REASONS):
                    raise ConnectionUnsuitableError(error.what, why=words or error.why, fix=error.fix) from None
                time.sleep(0.2 * attempt)
            else:
                return port
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """Stop the cluster, ending its connections; nothing happens if it is not running."""
        if self.running_port() is not None:
            self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", "fast")

    def running_port(self) -> int | None:
        """The port of the server that serves exactly this cluster now, else None.

        The pid file alone proves nothing: after a kill the pid may belong to anybody. Only our own server lets this
        password in and names this data directory.
        """
        port = self._recorded_port()
        if port is None:
            return None
        answer = self._psql(["-c", "show data_directory"], port=port)
        return port if answer.returncode == 0 and answer.stdout.strip() == str(self.data_dir) else None

    def _recorded_port(self) -> int | None:
        """What postmaster.pid says, if it names this folder and a living server."""
        recorded = self._recorded()
        return recorded[1] if recorded and _is_living_server(recorded[0]) else None

    def _recorded(self) -> tuple[int, int] | None:
        """Process id and port in postmaster.pid, if it is whole and names this folder."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, folder, port = int(lines[0]), lines[1], int(lines[3])
        except (OSError, ValueError, IndexError):
            return None
        return (pid, port) if folder == str(self.data_dir) else None

    def _drop_stale_pid_file(self) -> None:
        """PostgreSQL itself takes any living process of its account for the server that a pid file names."""
        recorded = self._recorded()
        if recorded and not _is_living_server(recorded[0]):
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def conninfo(self, user: str = SUPERUSER, dbname: str = "postgres") -> str:
        """libpq's connection string, password included; ConnectionUnsuitableError if the cluster is not running."""
        port = self._recorded_port()
        if port is None:
            raise ConnectionUnsuitableError(f"The PostgreSQL server in {self.data_dir} is not running.")
        # With address and options said here, PGHOSTADDR and PGOPTIONS of the shell do not count.
        return make_conninfo(
            "", host=HOST, hostaddr=HOST, port=str(port), dbname=dbname, user=user, password=self.password,
            sslmode="disable", options="",
        )  # fmt: skip

    def psql(
        self,
        files: Sequence[Path],
        *,
        user: str = SUPERUSER,
        dbname: str = "postgres",
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run SQL files with psql, one after the other, stopping at the first error; returns what it printed."""
        arguments = [part for name, value in (variables or {}).items() for part in ("-v", f"{name}={value}")]
        arguments += [part for path in files for part in ("-f", str(path))]
        answer = self._psql(arguments, user=user, dbname=dbname)
        if answer.returncode != 0:
            raise ConnectionUnsuitableError("psql could not prepare the database.", why=answer.stderr.strip())
        return answer.stdout

    def _psql(
        self, arguments: Sequence[str], *, port: int | None = None, user: str = SUPERUSER, dbname: str = "postgres"
    ) -> subprocess.CompletedProcess[str]:
        port = port or self._recorded_port() or 0
        conninfo = make_conninfo("", host=HOST, port=str(port), dbname=dbname, user=user, sslmode="disable")
        return subprocess.run(
            [str(self.client_dir / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", conninfo, *arguments],
            env={**client_environment(), "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "5"},
            capture_output=True,
            text=True,
            check=False,
        )

    def remove(self) -> None:
        """Delete the cluster's files. It must be stopped."""
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def _give_to_account(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs on the data directory, as the account that owns it."""
        done = subprocess.run(
            [str(self.bin_dir / program), *arguments, "--pgdata", str(self.data_dir)],
            cwd="/",
            env={**client_environment(), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **(self.account.popen_options if self.account else {}),
        )
        if done.returncode != 0:
            raise ConnectionUnsuitableError(
                f"{program} failed for the PostgreSQL server in {self.data_dir}.",
                why="\n".join((done.stderr or done.stdout).strip().splitlines()[-8:]),
                fix=f"Its log is {self.log_path}.",
            )


def client_environment() -> dict[str, str]:
    """This process's environment without libpq's variables: they name the operator's target, not this server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _is_living_server(pid: int) -> bool:
    """True if a process of this id lives and its program is called postgres."""
    if Path("/proc/self/comm").exists():
        try:
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
        except OSError:
            return False
    else:
        shown = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
        name = shown.stdout
    return Path(name.strip()).name == "postgres"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
