"""Progress on the console: a bar on a terminal, a line now and then into a file, whatever the engine tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rich.console import Console

from wizard.console.progress import Lines, now_running
from wizard.engine.events import (
    BackfillProgressed,
    ConnectionLost,
    IndexProgressed,
    PartCommitted,
    PartStarted,
    Reconnected,
)
from wizard.rollout.load import load_rollout

NOON = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
STARTED = PartStarted(step="6.2", part=2, parts=3, title="map clones", sql="UPDATE clones")


def progressed(batch: int, seconds: float, **changes: object) -> BackfillProgressed:
    """What is told after a batch, `seconds` after noon."""
    fields: dict[str, object] = {
        "step": "6.2", "part": 2, "parts": 3, "table": "clones", "phase": "filling", "batches": batch,
        "rows": batch * 5000, "total": 1_000_000, "rows_per_s": 57_100.0, "eta_s": 10.3, "batch_rows": 5000,
        "delay_s": 0.0, "at": NOON + timedelta(seconds=seconds),
    }  # fmt: skip
    return BackfillProgressed.model_validate(fields | changes)


def drawn(lines: Lines, width: int) -> list[str]:
    """What the live display shows at this width."""
    console = Console(width=width, markup=False)
    with console.capture() as capture:
        console.print(now_running(lines, console))
    return capture.get().splitlines()


def test_into_a_file_a_backfill_is_a_line_every_few_seconds_and_one_at_its_end() -> None:
    lines = Lines(load_rollout())
    lines.of(STARTED)

    told = [line for batch in range(1, 201) for line in lines.of(progressed(batch, batch * 0.08))]
    told += lines.of(PartCommitted(step="6.2", part=2, parts=3, seconds=16))

    assert len(told) == 5, "16 s of batches, and the end"
    assert told[0] == (
        "  6.2, part 2: 0 %, 5,000 of ~1,000,000 rows, 57,100 rows/s, about 0:10 left, batches of 5,000 rows, no delay"
    )
    assert told[-1] == "  6.2, part 2: 1,000,000 of ~1,000,000 rows committed in 200 batches"


def test_a_new_phase_is_told_at_once_and_the_reason_of_a_slow_down_stands_in_the_line() -> None:
    lines = Lines(load_rollout())

    assert lines.of(progressed(0, 0, phase="counting", total=None, rows_per_s=None, eta_s=None))
    [told] = lines.of(progressed(1, 0.1, slowed="the slot dwh\nlags by 90 MB", delay_s=0.1))
    assert told.endswith("100 ms between two, slowed down: the slot dwh lags by 90 MB")
    assert lines.of(progressed(2, 0.2, slowed="another reason")) == []


def test_an_index_build_is_told_by_its_phases() -> None:
    lines = Lines(load_rollout())
    scan = {"step": "3", "part": 4, "phase": "building index: scanning table", "total": 1000, "unit": "blocks"}

    told = [
        line
        for done in range(0, 1000, 10)
        for line in lines.of(IndexProgressed.model_validate(scan | {"done": done, "at": NOON}))
    ]
    told += lines.of(IndexProgressed(step="3", part=4, phase="waiting for old snapshots", done=0, total=0, unit=""))

    assert told == [
        "  3, part 4: building index: scanning table, 0 of 1,000 blocks, 0 %",
        "  3, part 4: waiting for old snapshots",
    ]


def test_on_a_terminal_the_bar_the_numbers_and_the_pace_fit_the_width() -> None:
    lines = Lines(load_rollout(), live=True)
    lines.of(STARTED)
    assert lines.of(progressed(83, 6)) == []

    wide = drawn(lines, 120)
    assert "part 2 of 3" in wide[0]
    assert wide[1].startswith("  ━━━━━━━━━━━━━━━━╸───")
    assert wide[1].endswith("41 %  415,000 of ~1,000,000 rows, 57,100 rows/s, about 0:10 left")
    assert wide[2].strip() == "batches of 5,000 rows, no delay"

    lines.of(progressed(84, 6.1, slowed="replication is 12 s behind"))
    for width in (60, 80):
        narrow = drawn(lines, width)
        assert len(narrow) == 4
        assert all(len(line) <= width for line in narrow)
        assert narrow[3].strip() == "slowed down: replication is 12 s behind"
    lines.of(PartCommitted(step="6.2", part=2, parts=3, seconds=16))
    assert len(drawn(lines, 80)) == 1


def test_a_lost_connection_is_told_once_and_so_is_its_end() -> None:
    lines = Lines(load_rollout(), live=True)
    lines.of(STARTED)
    told = [line for attempt in (1, 2, 3) for line in lines.of(lost(attempt))]

    assert told == ["  connection lost: connecting again for at most 60 s, to ask the database what was committed"]
    [now] = drawn(lines, 100)
    assert "connection lost, asking the database what was committed, try 3" in now
    assert "UPDATE" not in now
    assert lines.of(Reconnected(sentence="Steps 0 to 6.1 are committed")) == [
        "  connected again: Steps 0 to 6.1 are committed"
    ]
    assert not lines.now


def lost(attempt: int) -> ConnectionLost:
    return ConnectionLost(attempt=attempt, patience_s=60, next_try_s=0.4)
