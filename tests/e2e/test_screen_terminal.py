"""The installed command in a real pseudo-terminal: from start to verified with one key, and the terminal put back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

from tests.support.blocking import assert_cancelled
from tests.support.database import Database
from tests.support.series import sampled
from wizard.errors import ExitCode

COLUMNS, ROWS = 120, 36
PATIENCE_S = 60.0


class Terminal:
    """A child process on a pseudo-terminal, its output drawn by a terminal emulator."""

    def __init__(self, *command: str) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.status: int | None = None
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            # COLUMNS and LINES, which pytest's workers set, would count for more than the size of the terminal.
            others = ("PG", "DATABASE_", "COLUMNS", "LINES")
            environment = {key: value for key, value in os.environ.items() if not key.startswith(others)}
            environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(command[0], command, environment)  # noqa: S606 a list of words, no shell

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.screen.display)

    def press(self, keys: str | bytes) -> None:
        """Send keys."""
        os.write(self._terminal, keys.encode() if isinstance(keys, str) else keys)

    def until(self, holds: Callable[[], object]) -> None:
        """Read output until `holds` does, or until the process ends."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"never happened; the screen:\n{self.text}"
            assert self._read(), f"the program ended; the screen:\n{self.text}"

    def wait(self) -> int:
        """Read until the process ends; its exit code."""
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"never ended; the screen:\n{self.text}"
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], 1.0)[0]:
            return True
        try:
            chunk = os.read(self._terminal, 65536)
        except OSError:  # Linux: the other end is closed
            return False
        self.raw += chunk
        self._stream.feed(chunk)
        return bool(chunk)

    def close(self) -> None:
        """End a process that a failed test left behind."""
        if self.status is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self._terminal)


@contextmanager
def terminal(*command: str) -> Iterator[Terminal]:
    """The command on a terminal; it is gone afterwards."""
    started = Terminal(*command)
    try:
        yield started
    finally:
        started.close()


def program() -> str:
    """The command as it was installed."""
    return str(Path(sys.executable).with_name("rag-wizard"))


def assert_put_back(raw: bytes) -> None:
    """The terminal is as it was: main screen, cursor, no mouse reports, no bracketed paste."""
    assert raw.rfind(b"\x1b[?1049l") > raw.rfind(b"\x1b[?1049h") >= 0
    assert raw.rfind(b"\x1b[?25h") > raw.rfind(b"\x1b[?25l")
    assert raw.rfind(b"\x1b[?1000l") > raw.rfind(b"\x1b[?1000h")
    assert raw.rfind(b"\x1b[?2004l") > raw.rfind(b"\x1b[?2004h")


def test_the_demo_from_start_to_verified_and_out_again(state_dir: Path) -> None:
    with terminal(program(), "--demo", "--state-dir", str(state_dir)) as screen:
        screen.until(lambda: "READY. Nothing was changed on demo" in screen.text)
        screen.press("a")
        screen.until(lambda: "FINISHED and verified: 9 of 9 criteria" in screen.text)
        screen.until(lambda: "Success criteria  9 of 9" in screen.text)
        screen.press("q")
        assert screen.wait() == 0
        assert_put_back(screen.raw)
        assert "FINISHED and verified: 9 of 9 criteria" in screen.text, "the last word stays in the scrollback"
        assert "Traceback" not in screen.text


ENDING = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SIGNALS = pytest.mark.parametrize("number", sampled(list(ENDING), 1), ids=lambda number: number.name)


@SIGNALS
def test_a_signal_mid_statement_puts_the_terminal_back_and_keeps_what_is_committed(
    database: Database, state_dir: Path, number: signal.Signals
) -> None:
    with database.connect(autocommit=False) as application:
        application.execute("SELECT * FROM clones LIMIT 1")
        # One long try, so that a statement is under way whenever the signal comes.
        with terminal(
            program(), "--dsn", database.url(), "--state-dir", str(state_dir), "--lock-timeout", "60s"
        ) as screen:
            screen.until(lambda: "READY." in screen.text)
            screen.press("a")
            screen.until(lambda: "WAITING for a lock" in screen.text)
            os.kill(screen.pid, number)
            assert screen.wait() == ENDING[number]
            assert_put_back(screen.raw)
            assert "Steps 0 to 1.6 are committed" in screen.text
            assert_cancelled(database)
    assert database.value("SELECT to_regclass('clone_rag_mapping') IS NOT NULL")


@SIGNALS
def test_a_signal_while_idle_puts_the_terminal_back(
    database: Database, state_dir: Path, number: signal.Signals
) -> None:
    with terminal(program(), "--dsn", database.url(), "--state-dir", str(state_dir)) as screen:
        screen.until(lambda: "READY." in screen.text)
        os.kill(screen.pid, number)
        assert screen.wait() == ENDING[number]
        assert_put_back(screen.raw)
        assert "Nothing was changed" in screen.text


def test_a_stopped_screen_holds_no_lock_and_goes_on(database: Database, state_dir: Path) -> None:
    with database.connect(autocommit=False) as application:
        application.execute("LOCK TABLE clones IN ACCESS SHARE MODE")
        with terminal(
            program(), "--dsn", database.url(), "--state-dir", str(state_dir), "--lock-timeout", "60s"
        ) as screen:
            screen.until(lambda: "READY." in screen.text)
            screen.press("a")
            screen.until(lambda: "RUNNING 2.1" in screen.text or "WAITING for a lock" in screen.text)
            os.kill(screen.pid, signal.SIGTSTP)
            screen.until(lambda: "Stopping the process after this part" in screen.text)
            application.rollback()
            screen.until(lambda: is_stopped(screen.pid))
            assert database.value("SELECT count(*) FROM rag_wizard.part WHERE state = 'done'") == 7
            os.kill(screen.pid, signal.SIGCONT)
            screen.until(lambda: "FINISHED and verified" in screen.text)
            screen.press("q")
            assert screen.wait() == 0
            assert_put_back(screen.raw)


def is_stopped(pid: int) -> bool:
    """True while the process is stopped (T in its stat line)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def bytes_read(pid: int) -> int:
    """What the process has read so far from files and terminals; sockets do not count."""
    return int(Path(f"/proc/{pid}/io").read_text(encoding="utf-8").split()[1])


def test_a_key_that_is_no_utf_8_is_ignored_and_the_next_one_counts(database: Database, state_dir: Path) -> None:
    with terminal(program(), "--dsn", database.url(), "--state-dir", str(state_dir)) as screen:
        screen.until(lambda: "READY." in screen.text)
        for key in (b"\xfc", b"\xc3(", b"\xff\xff"):
            before = bytes_read(screen.pid)
            screen.press(key)
            # It reaches the other end of the terminal a moment later, and a key that is read together with it is lost.
            screen.until(lambda: bytes_read(screen.pid) >= before + len(key) and not unread(screen.pid))  # noqa: B023
            screen.press("?")
            screen.until(lambda: "esc  close" in screen.text)
            screen.press("?")
            screen.until(lambda: "esc  close" not in screen.text)
        screen.press("q")
        assert screen.wait() == 0
        assert_put_back(screen.raw)
        assert "Nothing was changed" in screen.text


def unread(pid: int) -> int:
    """Bytes that were typed and that the process has not read."""
    with Path(f"/proc/{pid}/fd/0").open("rb", buffering=0) as keyboard:
        (count,) = struct.unpack("i", fcntl.ioctl(keyboard, termios.FIONREAD, b"\0" * 4))
    return int(count)


def test_what_is_drawn_on_standard_error_is_refused_where_that_is_a_file(tmp_path: Path) -> None:
    said = tmp_path / "err.log"
    with terminal("/bin/sh", "-c", f"{shlex.quote(program())} --demo 2>{shlex.quote(str(said))}") as screen:
        assert screen.wait() == ExitCode.USAGE
    assert "It is drawn on standard error, and that leads somewhere else." in said.read_text(encoding="utf-8")


def test_a_terminal_of_another_encoding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "iso8859-1")
    with terminal(program(), "--demo") as screen:
        assert screen.wait() == ExitCode.USAGE
    assert "The screen needs a terminal that speaks UTF-8." in screen.text
    assert "LC_ALL=C.UTF-8" in screen.text


@pytest.mark.parametrize("password", ["s3cret-in-the-url"])
def test_a_password_never_reaches_the_terminal(password: str, state_dir: Path) -> None:
    url = f"postgresql://dba:{password}@127.0.0.1:1/postgres"
    with terminal(program(), "--dsn", url, "--state-dir", str(state_dir)) as screen:
        screen.until(lambda: "NOT CONNECTED" in screen.text)
        screen.press("i")
        screen.until(lambda: "Settings" in screen.text)
        screen.press("\x1b")
        screen.until(lambda: "Settings" not in screen.text)
        screen.press("q")
        assert screen.wait() == 4
        assert password.encode() not in screen.raw
