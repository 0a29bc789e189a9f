"""One call of the program: the common options merged into a Launch, and how it answers and prints."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.errors import UsageError
from wizard.launch import DEFAULT_LOCK_TIMEOUT_MS, Launch, default_state_dir

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min)?", re.IGNORECASE)
_UNIT_MS = {"ms": 1, "s": 1000, "min": 60_000}


@dataclass(frozen=True)
class Call:
    """What every command gets besides its own options."""

    launch: Launch
    yes: bool = False
    json: bool = False
    output: Path | None = None
    """Where data goes instead of stdout."""
    force: bool = False


def make_call(given: Mapping[str, Any]) -> Call:
    """A Call from the common options that were `given`, each absent one at its default. Raises UsageError."""
    rows = given.get("rows")
    if rows is not None and rows < 0:
        raise UsageError(f"--rows {rows} is negative.", fix="Give the number of clones, as in --rows 1000.")
    return Call(
        launch=Launch(
            dsn=given.get("dsn"),
            demo=given.get("demo", False),
            fresh=given.get("fresh", False),
            rows=rows,
            target_name=given.get("target_name", ""),
            env=given.get("env", ""),
            schema=_schema(given.get("schema", "public")),
            rollout=_path(given.get("rollout")),
            strategy=given.get("strategy", "auto"),
            dry_run=given.get("dry_run", False),
            read_only=given.get("read_only", False),
            decisions=parse_decisions(given.get("decide", ())),
            operator=given.get("operator") or default_operator(),
            lock_timeout_ms=parse_lock_timeout(given.get("lock_timeout")),
            state_dir=_path(given.get("state_dir")) or default_state_dir(),
            fail_at=given.get("fail_at", ""),
            end_orphan=given.get("end_orphan", False),
            confirm=given.get("confirm", ""),
        ),
        yes=given.get("yes", False),
        json=given.get("json", False),
    )


def _schema(name: str) -> str:
    if not name.strip():
        raise UsageError("--schema needs a name.", fix="Leave it out for public.")
    return name


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def parse_decisions(pairs: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE pairs as a dict, the later of one name wins. Raises UsageError for anything else."""
    decisions = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign and value):
            raise UsageError(f"--decide {pair!r} is not NAME=VALUE.", fix="As in --decide grants=skip.")
        decisions[name.strip()] = value.strip()
    return decisions


def parse_lock_timeout(text: str | None) -> int:
    """Milliseconds in "700ms", "2s" or "700". Raises UsageError, also for zero: to PostgreSQL that means for ever."""
    if text is None:
        return DEFAULT_LOCK_TIMEOUT_MS
    match = _DURATION.fullmatch(text.strip())
    milliseconds = int(float(match["number"]) * _UNIT_MS[(match["unit"] or "ms").lower()]) if match else 0
    if not 1 <= milliseconds <= 600_000:
        raise UsageError(
            f"--lock-timeout {text!r} is not a time from 1ms to 10min.",
            why="It is how long one try waits for a table lock, while the application queues behind it.",
            fix="Write it as in --lock-timeout 700ms or --lock-timeout 2s.",
        )
    return milliseconds


def default_operator() -> str:
    """The operating system's user and host, since in the database everybody is `postgres`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
