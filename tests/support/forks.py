"""The command as a process of its own, many times: forked from one that has loaded it, which saves most of a start.

A fork runs what `python -m wizard` runs, from its argument list to its exit, and can be killed like any process.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.support.program import PATIENCE_S, Ended, Program

ROOT = Path(__file__).parent.parent.parent


class Fork:
    """One call that is under way."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self._forks = forks
        self._pid = pid
        self._over = threading.Event()

    def kill(self) -> None:
        """As kill -9 does; returns once it is dead, which somebody else waits for with `end`."""
        os.kill(self._pid, signal.SIGKILL)
        assert self._over.wait(PATIENCE_S)

    def end(self) -> Ended:
        """Waits for its end. A negative code is the signal that killed it."""
        try:
            return self._forks.ended()
        finally:
            self._over.set()


class Forks:
    """Calls one after the other; `close` ends what they are forked from."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rag-wizard-forks-")
        self._files = [str(Path(self._folder.name) / name) for name in ("out", "err")]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def start(self, program: Program, *arguments: str) -> Fork:
        """Starts a call; there is one at a time."""
        # Behind interpreter, warnings and `-m wizard` come the arguments proper.
        call = {"argv": program.command(arguments)[4:], "env": program.env(), "files": self._files}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return Fork(self, int(self._line()))

    def __call__(self, program: Program, *arguments: str) -> Ended:
        """A call from start to end."""
        return self.start(program, *arguments).end()

    def ended(self) -> Ended:
        """Of the call that is under way."""
        code = int(self._line())
        out, err = (Path(file).read_text(encoding="utf-8") for file in self._files)
        return Ended(code, out, err)

    def _line(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        assert ready, "the program was silent for too long"
        return self._process.stdout.readline()

    def close(self) -> None:
        """Ends the process, by the end of its input."""
        self._process.communicate()
        self._folder.cleanup()


def _serve() -> None:
    """Forks for each line of input; answers with the pid, then with the exit code."""
    import wizard

    for module in pkgutil.walk_packages(wizard.__path__, "wizard."):
        if not module.name.startswith(("wizard.ui", "wizard.screen", "wizard.__main__")):
            importlib.import_module(module.name)
    import postgast  # noqa: F401 (loaded by the engine where it is first needed)

    from wizard.engine.sending import pace

    # What a backfill does after its own measurements (batches that travel together, smaller ones) would make the number
    # of requests, which the faults are counted by, one of how busy the machine is.
    pace.FAR_S = pace.LONG_BATCH_S = math.inf
    while line := sys.stdin.readline():
        call = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(call["argv"], call["env"], *call["files"])
            return
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(argv: list[str], env: dict[str, str], out: str, err: str) -> None:
    """The command, in this process."""
    for number, (path, flags) in enumerate(
        (
            (os.devnull, os.O_RDONLY),
            (out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        )
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv
    from wizard.__main__ import main

    main()


if __name__ == "__main__":
    _serve()
