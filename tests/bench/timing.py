"""Times whole processes, two kinds in turn, so that a machine whose speed drifts hurts both alike."""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Seconds of two kinds of process, run in turn."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of the ratios of neighbours."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> Pair:
    """One of each to warm up, then `runs` pairs."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Pair(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def process(command: Sequence[str], env: dict[str, str] | None = None) -> float:
    """Seconds from start to end of a process that has to succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    elapsed = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return elapsed


def first_paint(command: Sequence[str], sign: bytes, *, limit_s: float = 20.0) -> float:
    """Seconds from the start of a process on a terminal of 120x36 until `sign` is on its screen; then it is ended."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
        os.execvp(command[0], list(command))  # noqa: S606  (a list of words, no shell)
    seen = b""
    try:
        while sign not in seen:
            if time.perf_counter() - began > limit_s:
                raise SystemExit(f"{command[0]} painted nothing like {sign!r}:\n{seen[-2000:]!r}")
            if select.select([terminal], [], [], 0.5)[0]:
                seen += os.read(terminal, 65536)
        return time.perf_counter() - began
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
