"""One call of the program: the common options merged into a Launch, and how it answers and prints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.errors import UsageError
from wizard.launch import DEFAULT_LOCK_TIMEOUT_MS, Launch, default_operator, default_state_dir
from wizard.limits import ALONE_AIM_S, BATCH_AIM_S, BATCH_ROWS, DELAY_S
from wizard.paths import typed_path

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
            batch_rows=parse_batch_rows(given.get("batch_rows")),
            batch_delay_s=parse_batch_delay(given.get("batch_delay")),
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
    return typed_path(text) if text else None


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
    milliseconds = _milliseconds(text)
    if milliseconds is None or not 1 <= milliseconds <= 600_000:
        raise UsageError(
            f"--lock-timeout {text!r} is not a time from 1ms to 10min.",
            why="It is how long one try waits for a table lock, while the application queues behind it.",
            fix="Write it as in --lock-timeout 700ms or --lock-timeout 2s.",
        )
    return int(milliseconds)


def parse_batch_rows(rows: int | None) -> int | None:
    """Rows of a batch; None: by the time they take.

    Raises UsageError outside the bounds within which the screen's keys move it too.
    """
    least, most = BATCH_ROWS
    if rows is None:
        return None
    if not least <= rows <= most:
        raise UsageError(
            f"--batch-rows {rows} is not from {least:,} to {most:,}.",
            why="A batch holds the locks of its rows until it commits: a large one makes the application wait.",
            fix=f"Leave it out for batches of {BATCH_AIM_S * 1000:.0f} to {ALONE_AIM_S * 1000:.0f} ms, or write it as"
            " in --batch-rows 2000.",
        )
    return rows


def parse_batch_delay(text: str | None) -> float | None:
    """Seconds in "100ms", "1s" or "0"; None: as long as others need it. Raises UsageError."""
    if text is None:
        return None
    milliseconds = _milliseconds(text)
    if milliseconds is None or not DELAY_S[0] * 1000 <= milliseconds <= DELAY_S[1] * 1000:
        raise UsageError(
            f"--batch-delay {text!r} is not a time from 0 to {DELAY_S[1]:.0f}s.",
            why="It is the pause between two batches of a backfill.",
            fix="Write it as in --batch-delay 100ms, or leave it out to give way to others who write.",
        )
    return milliseconds / 1000


def _milliseconds(text: str) -> float | None:
    """The time that `text` says, milliseconds without a unit; None if it says none."""
    match = _DURATION.fullmatch(text.strip())
    return float(match["number"]) * _UNIT_MS[(match["unit"] or "ms").lower()] if match else None
