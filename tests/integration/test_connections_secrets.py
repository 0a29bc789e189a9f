"""The password: every way to give it works, and none of them lets it out again."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.pgbouncer import pgbouncer, port_of
from tests.support.program import Ended, Program
from wizard.errors import ExitCode


def write_private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def bare_url(database: Database) -> str:
    return f"postgresql://postgres@127.0.0.1:{port_of(database)}/{database.name}"


def in_the_environment(database: Database, _: Path) -> dict[str, str]:
    return {"PGPASSWORD": database.password}


def in_pgpass(database: Database, home: Path) -> dict[str, str]:
    write_private(home / ".pgpass", f"127.0.0.1:*:*:postgres:{database.password}\n")
    return {}


def in_another_passfile(database: Database, home: Path) -> dict[str, str]:
    write_private(home / "passwords", f"*:{port_of(database)}:*:*:{database.password}\n")
    return {"PGPASSFILE": str(home / "passwords")}


def in_database_url(database: Database, _: Path) -> dict[str, str]:
    return {"DATABASE_URL": database.url()}


def in_a_service(database: Database, home: Path) -> dict[str, str]:
    write_private(
        home / ".pg_service.conf",
        f"[acme]\nhost=127.0.0.1\nport={port_of(database)}\nuser=postgres\n"
        f"dbname={database.name}\npassword={database.password}\n",
    )
    return {"PGSERVICE": "acme"}


SOURCES: list[Callable[[Database, Path], dict[str, str]]] = [
    in_the_environment,
    in_pgpass,
    in_another_passfile,
    in_database_url,
    in_a_service,
]


def assert_secret(password: str, *texts: str, folder: Path | None = None) -> None:
    """Nowhere in these texts, nor in any file below `folder` that the program wrote."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder else []
    written = [path.read_text(errors="replace") for path in files if path.parent.name in {"logs", "crashes"}]
    for text in (*texts, *written):
        assert password not in text


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_a_password_is_found_wherever_libpq_finds_it(
    database: Database, state_dir: Path, source: Callable[[Database, Path], dict[str, str]]
) -> None:
    environment = source(database, state_dir)
    named = {"DATABASE_URL", "PGSERVICE"} & environment.keys()

    ended = Program(state_dir)("status", "--json", *(() if named else ("--dsn", bare_url(database))), **environment)

    assert ended.code == ExitCode.DONE, ended.err
    assert_secret(database.password, ended.out, ended.err, folder=state_dir)


def test_a_terminal_is_asked_when_nothing_else_has_it(database: Database, state_dir: Path) -> None:
    wizard = Program(state_dir, ("--dsn", bare_url(database), "--target-name", "acme-test"))

    code, shown = wizard.on_terminal("status", answers=[("Password of postgres on acme-test", database.password)])
    wrong, refused = wizard.on_terminal("status", answers=[("Password of postgres", "hush-hush")])
    none, unanswered = wizard.on_terminal("status", answers=[("Password of postgres", "")])

    assert code == ExitCode.DONE, shown
    assert "Nothing was changed on acme-test" in shown
    assert wrong == none == ExitCode.CONNECTION
    assert "refused the password" in refused
    assert "asks for a password" in unanswered
    assert_secret(database.password, shown, folder=state_dir)
    assert "hush-hush" not in refused


def test_a_password_that_was_typed_serves_the_whole_run(database: Database, state_dir: Path) -> None:
    wizard = Program(state_dir, ("--dsn", bare_url(database)))

    code, shown = wizard.on_terminal("run", "--yes", "--to", "1.1", answers=[("Password of", database.password)])

    assert code == ExitCode.DONE, shown
    assert_secret(database.password, shown, folder=state_dir)


def test_a_terminal_is_not_asked_where_a_password_is_known_or_not_wanted(database: Database, state_dir: Path) -> None:
    in_pgpass(database, state_dir)

    code, shown = Program(state_dir, ("--dsn", bare_url(database))).on_terminal("status")

    assert code == ExitCode.DONE, shown
    assert "Password" not in shown


def failing_calls(database: Database, wizard: Program, cluster: Cluster, every: int) -> list[Ended]:
    """Ways to fail that have the password at hand, with words and with --json; one in `every` of them."""
    url = database.url()
    calls = [
        ("status", "--dsn", url.replace(database.name, "nowhere")),
        ("status", "--dsn", url.replace("127.0.0.1", "no-such-host.invalid")),
        ("status", "--dsn", url.replace(f":{port_of(database)}/", ":1/")),
        ("status", "--dsn", url.replace("postgres:", "nobody:")),
        ("status", "--dsn", f"{url}?colour=red"),
        ("status", "--dsn", f"{url}?sslmode=verify-full"),
        ("status", "--dsn", url.replace("127.0.0.1", "db.example.org") + "?sslmode=disable"),
        ("status", "--dsn", url.replace("@", "@@")),
        ("status", "--dsn", url.replace("postgresql", "mysql")),
        ("status", "--dsn", f"psql '{url}'"),
        ("status", "--dsn", f"host=127.0.0.1 colour=red password={database.password}"),
        ("status", "--dsn", url, "--demo"),
        ("status", "--dsn", url, "--no-such-option"),
        ("check", "--dsn", url, "--schema", "nowhere"),
        ("no-such-command", "--dsn", url),
        ("run", "--dsn", url),
        ("run", "--dsn", url, "--yes", "--confirm", "other"),
        ("run", "--dsn", url, "--yes", "--decide", "shared_function=perhaps"),
    ]
    ended = [wizard(*call, *(("--json",) if number % 2 else ())) for number, call in enumerate(calls[::every])]
    ended += [wizard("run", "--dsn", url, "--yes", "--fail-at", "1.2")]
    ended += [wizard("run", "--dsn", url, "--yes", "--fail-at", "1.3", "--json")]
    ended.append(wizard("status", DATABASE_URL=url, PGHOST="two.example.org", PGUSER="ada"))
    with pgbouncer(cluster, "transaction") as pooler:
        ended.append(wizard("run", "--yes", "--json", "--dsn", pooler.through(database).url()))
    return ended


@pytest.mark.parametrize(
    "every", [pytest.param(16, id="sample", marks=pytest.mark.slow), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_no_call_that_fails_lets_the_password_out(
    cluster: Cluster, database: Database, state_dir: Path, every: int
) -> None:
    wizard = Program(state_dir)

    ended = failing_calls(database, wizard, cluster, every)

    assert [call.err for call in ended if call.code == ExitCode.DONE] == []
    assert_secret(database.password, *(call.out + call.err for call in ended), folder=state_dir)
    assert list((state_dir / "logs").iterdir())


def test_a_crash_report_holds_no_password(database: Database, state_dir: Path) -> None:
    Operator(database).engine.run(last="1.1")
    # A registry that nobody foresaw, with the password in what the program complains about.
    database.psql(
        "alter table rag_wizard.part drop constraint part_direction_check;"
        f" update rag_wizard.part set direction = 'ada:{database.password}@db password={database.password}'"
    )

    for source in (database.url(), bare_url(database)):
        ended = Program(state_dir)("log", "--dsn", source, "--json", PGPASSWORD=database.password)

        assert "Unexpected error" in ended.err, ended.err
        assert_secret(database.password, ended.out, ended.err, folder=state_dir)
    reports = [path.read_text() for path in (state_dir / "crashes").iterdir()]
    assert len(reports) == 2
    assert all("ValidationError" in report for report in reports)


def test_what_the_server_says_is_told_without_the_password(database: Database, state_dir: Path) -> None:
    Operator(database).engine.run(last="1.1")
    database.psql(
        "alter table rag_wizard.rollout rename to moved;"
        " create function rag_wizard.fail() returns text language plpgsql as"
        f" $$ begin raise exception 'postgresql://ada:{database.password}@db'; end $$;"
        " create view rag_wizard.rollout as select *, rag_wizard.fail() as more from rag_wizard.moved"
    )

    for source in (database.url(), bare_url(database)):
        ended = Program(state_dir)("status", "--dsn", source, "--json", PGPASSWORD=database.password)

        assert ended.code != ExitCode.DONE
        assert "ada:****@db" in ended.err
        assert_secret(database.password, ended.out, ended.err, folder=state_dir)


def command_lines() -> list[str]:
    """Of every process of this machine, as anybody can read them."""
    if not Path("/proc/self/cmdline").exists():
        shown = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True)
        return shown.stdout.splitlines()
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            lines.append(path.read_text(errors="replace").replace("\0", " "))
    return lines


def test_no_process_shows_the_password_while_a_run_waits(database: Database, state_dir: Path) -> None:
    wizard = Program(state_dir, ("--dsn", bare_url(database)), {"PGPASSWORD": database.password})
    assert wizard("run", "--yes", "--to", "1.6").code == ExitCode.DONE
    with psycopg.connect(database.admin_conninfo()) as blocker:
        blocker.execute("lock table clones in access share mode")
        process = wizard.start("run", "--yes")
        assert process.stderr
        for line in process.stderr:
            if "waits for a lock" in line:
                break
        lines = command_lines()
        process.terminate()
        process.communicate()

    assert any("-m wizard" in line for line in lines)
    assert_secret(database.password, *lines)


@pytest.mark.slow
def test_the_demos_programs_are_not_given_its_password_in_their_arguments(state_dir: Path) -> None:
    lines: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            lines.update(command_lines())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        ended = Program(state_dir)("--demo", "status", "--json")
    finally:
        over.set()
        watching.join()

    assert ended.code == ExitCode.DONE, ended.err
    for program in ("initdb", "psql"):
        assert any(f"/{program} " in line for line in lines)
    (record,) = [path for path in state_dir.rglob("*.json") if "password" in path.read_text()]
    assert record.stat().st_mode & 0o077 == 0
    password = json.loads(record.read_text())["password"]
    assert len(password) > 10
    assert_secret(password, ended.out, ended.err, *lines)


@pytest.mark.slow
def test_the_screen_asks_before_it_begins(database: Database, state_dir: Path) -> None:
    wizard = Program(state_dir, ("--dsn", bare_url(database)), {"COLUMNS": "120", "LINES": "36"})

    code, shown = wizard.on_terminal(answers=[("Password of postgres", database.password), ("READY", "q")])

    assert code == ExitCode.DONE, shown
    assert_secret(database.password, shown, folder=state_dir)
