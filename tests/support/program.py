"""The command as a user runs it: a process of its own, with pipes or on a pseudo-terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import Database

PATIENCE_S = 60


@dataclass(frozen=True)
class Ended:
    """How one call ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Stdout as one JSON document."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Stdout as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Program:
    """`rag-wizard` with a state directory, optionally with a target, in an environment that has nothing of ours."""

    state_dir: Path
    common: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, database: Database, state_dir: Path, *, user: str = "postgres", **environment: str) -> Program:
        """With --dsn for `database`."""
        return cls(state_dir, ("--dsn", database.url(user), "--target-name", "acme-test"), environment)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The argument list of a call."""
        where = ("--state-dir", str(self.state_dir))
        return [sys.executable, "-W", "error", "-m", "wizard", *where, *self.common, *arguments]

    def env(self) -> dict[str, str]:
        """The environment of a call."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.state_dir), "TERM": "xterm-256color", "PYTHONUTF8": "1", **self.environment}

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run to the end without a terminal; stdin is empty."""
        done = subprocess.run(
            self.command(arguments),
            env={**self.env(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start without a terminal and leave it running; the caller ends it."""
        return subprocess.Popen(
            self.command(arguments),
            env=self.env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_terminal(self, *arguments: str, answers: Sequence[tuple[str, str]] = ()) -> tuple[int, str]:
        """Run on a pseudo-terminal, typing each answer once its prompt was seen. Exit code and all that was shown."""
        master, slave = pty.openpty()
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        process = subprocess.Popen(
            self.command(arguments), env=self.env(), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        shown = ""
        waiting = list(answers)
        try:
            while text := _read(master):
                shown += text
                if waiting and waiting[0][0] in shown:
                    prompt, answer = waiting.pop(0)
                    os.write(master, f"{answer}\n".encode())
                    assert prompt
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
            os.close(master)
        assert not waiting, f"never asked for {waiting}:\n{shown}"
        return code, shown


def _read(master: int) -> str:
    """What comes next from the terminal; "" at its end."""
    ready, _, _ = select.select([master], [], [], PATIENCE_S)
    if not ready:
        pytest.fail("the program was silent for too long")
    try:
        return os.read(master, 65536).decode("utf-8", "replace")
    except OSError:  # Linux tells the end of a pseudo-terminal so
        return ""
