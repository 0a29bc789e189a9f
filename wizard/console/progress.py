"""Progress of a run or rollback: a line a step on stderr, JSON events on stdout; reports are in report.py."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wizard.console.out import say, silence, write_line
from wizard.console.report import found_and_fix, preview_lines
from wizard.console.tables import speaks_unicode, width_of
from wizard.engine import events
from wizard.engine import progress as pace
from wizard.engine.looking.prerequisites import CONFLICTS
from wizard.engine.session.blockers import blocker_words
from wizard.engine.state import StepState
from wizard.text import bar, clock, one_line, shortened, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from wizard.engine.events import Event, Listener
    from wizard.rollout.model import Rollout

_BESIDE_TITLE = 44
"""Cells that a step's line needs beside id and title."""


TELL_EVERY = timedelta(seconds=5)
"""Into a file or pipe, what goes on for long is told so often: a log is read later, and never flooded."""


_OfAPart = (
    events.LockWaited | events.BlockersSeen | events.IndexProgressed | events.BackfillProgressed | events.PartCommitted
)
_OF_A_PART = (
    events.LockWaited,
    events.BlockersSeen,
    events.IndexProgressed,
    events.BackfillProgressed,
    events.PartCommitted,
)


@dataclass(frozen=True)
class Meter:
    """How far what is running is, as a live display draws it."""

    done: int
    total: int
    words: str
    pace: str = ""
    slowed: str = ""


class Lines:
    """Turns events into lines that stay, and remembers what is running now.

    With `live`, somebody draws `now` and `meter` all the time: then progress adds no line of its own.
    """

    def __init__(self, rollout: Rollout, *, live: bool = False) -> None:
        self._live = live
        self._unicode = speaks_unicode(sys.stderr)
        self._id_width = max((len(step.id) for step in rollout.steps), default=1)
        room = shutil.get_terminal_size().columns - _BESIDE_TITLE - self._id_width if sys.stderr.isatty() else 60
        self._title_width = max(16, min(room, max((width_of(step.title) for step in rollout.steps), default=1)))
        self._began: dict[str, datetime] = {}
        self.now = ""
        """What is running, in words; "" when nothing is."""
        self.since = datetime.now(UTC)
        self.meter: Meter | None = None
        self._backfill: events.BackfillProgressed | None = None
        self._told: tuple[str, datetime] | None = None
        """What was told of last and when, so that it is not told again at once."""
        self._in_the_way: frozenset[tuple[int, str]] = frozenset()

    def of(self, event: Event) -> list[str]:
        """The lines that `event` adds for good."""
        if isinstance(event, _OF_A_PART):
            return self._of_part(event)
        if isinstance(event, events.ConnectionLost | events.Reconnected):
            return self._connection_lines(event)
        return self._of_step(event)

    def _of_step(self, event: Event) -> list[str]:
        """The course of the steps, and what else is told."""
        match event:
            case events.StepStarted():
                self._began[event.step] = event.at
                self._show(event.step, event.title, "")
            case events.PartStarted():
                if event.parts > 1:
                    self._show(event.step, event.title, f"part {event.part} of {event.parts}")
            case events.StepFinished():
                self.now, self.meter, self._backfill = "", None, None
                return [self._step_line(event, event.state)]
            case events.Noticed():
                where = f"{event.step}: " if event.step else ""
                return [f"  note: {where}{one_line(event.text)}"]
            case events.PrerequisiteChecked(result=result) if result.level != "pass" or result.id == CONFLICTS:
                level = "note" if result.level == "pass" else result.level
                return [f"  {level}: {one_line(result.title)}: {one_line(found_and_fix(result))}"]
            case events.CheckFinished(result=check) if not check.passed:
                return [f"  check failed: {one_line(check.title)}", *_differences(event)]
            case events.Finished():
                self.now = ""
        return _shown_lines(event)

    def _blocker_lines(self, event: events.BlockersSeen) -> list[str]:
        """Each of those in the way, whenever they are not the same as before. What they run is not printed."""
        before = self._in_the_way
        self._in_the_way = frozenset((one.pid, one.gid) for one in event.blockers)
        if self._in_the_way == before:
            return []
        return [f"    in the way: {blocker_words(one)}" for one in event.blockers]

    def _connection_lines(self, event: events.ConnectionLost | events.Reconnected) -> list[str]:
        """Once that it is lost, and once that it is back; what is known of the part under way is told after that."""
        self.now, self.meter = "", None
        if isinstance(event, events.Reconnected):
            return [f"  connected again: {one_line(event.sentence)}"]
        glyph = StepState.UNKNOWN.glyph if self._unicode else StepState.UNKNOWN.ascii_glyph
        self.now = f"{glyph} connection lost, asking the database what was committed, try {event.attempt}"
        if event.attempt > 1:
            return []
        self.since = datetime.now(UTC)
        patience = f"connecting again for at most {event.patience_s:.0f} s"
        return [f"  connection lost: {patience}, to ask the database what was committed"]

    def _show(self, step: str, title: str, more: str) -> None:
        glyph = StepState.RUNNING.glyph if self._unicode else StepState.RUNNING.ascii_glyph
        words = "  ".join(filter(None, (step.ljust(self._id_width), shortened(title, self._title_width), more)))
        self.now = f"{glyph} {words}"
        self.since = datetime.now(UTC)
        self.meter = None

    def _of_part(self, event: _OfAPart) -> list[str]:
        """How far the part is, that it waits, or that it is whole."""
        match event:
            case events.LockWaited():
                self._show(event.step, f"waiting for {one_line(event.waits_for)}", f"next in {event.next_try_s:.1f} s")
                return [self._lock_line(event)]
            case events.BlockersSeen():
                return self._blocker_lines(event)
            case events.BackfillProgressed():
                return self._backfill_lines(event)
            case events.IndexProgressed():
                self.meter = Meter(event.done, event.total, pace.index_words(event))
                return self._now_and_then(f"{event.step}.{event.part} {event.phase}", event, self.meter.words)
        backfill, self._backfill, self.meter = self._backfill, None, None
        if backfill is None:
            return []
        batches = f"{backfill.batches:,} batch{'' if backfill.batches == 1 else 'es'}"
        rows = f"{pace.rows_words(backfill)} committed in {batches}"
        if not backfill.rows:
            rows = f"no row of {backfill.table} had to be changed"
        return [f"  {event.step}, part {event.part}: {rows}"]

    def _backfill_lines(self, event: events.BackfillProgressed) -> list[str]:
        """What a batch adds: nothing on a terminal, now and then a line into a file."""
        self._backfill = event
        counted = "" if event.phase == "counting" else pace.rows_words(event)
        words = ", ".join(filter(None, (pace.doing_words(event), counted, pace.rate_words(event))))
        how = f"{pace.batch_words(event)}, {pace.delay_words(event)}"
        self.meter = Meter(event.rows, event.total or 0, words, how, one_line(event.slowed))
        if event.total == 0 and not (event.rows or event.slowed):
            return []
        told = ", ".join(filter(None, (words, how, event.slowed and f"slowed down: {event.slowed}")))
        done = pace.percent(event.rows, event.total)
        return self._now_and_then(
            f"{event.step}.{event.part} {event.phase}", event, told if done is None else f"{done} %, {told}"
        )

    def _now_and_then(
        self, what: str, event: events.BackfillProgressed | events.IndexProgressed, words: str
    ) -> list[str]:
        """A line about `what`, unless a live display shows it or one about the same was told a moment ago."""
        before = self._told
        if self._live or (before is not None and before[0] == what and event.at - before[1] < TELL_EVERY):
            return []
        self._told = what, event.at
        return [f"  {event.step}, part {event.part}: {one_line(words)}"]

    def _step_line(self, event: events.StepFinished, state: StepState) -> str:
        glyph = state.glyph if self._unicode else state.ascii_glyph
        title = shortened(event.title, self._title_width)
        padding = " " * (self._title_width - width_of(title))
        began = self._began.get(event.step, event.at)
        took = f"{(event.at - began).total_seconds():6.2f} s"
        noun = "check" if event.checks == 1 else "checks"
        checks = f"  {event.checks_passed} of {event.checks} {noun}" if event.checks else ""
        return f"{glyph} {event.step.ljust(self._id_width)}  {title}{padding}  {state.word:<11} {took}{checks}"

    @staticmethod
    def _lock_line(event: events.LockWaited) -> str:
        timeout = event.next_timeout_ms
        longer = f" for {timeout / 1000:g} s, so that a vacuum gives way" if timeout else ""
        return (
            f"  {event.step}, part {event.part}, waits for {one_line(event.waits_for)}: try {event.attempt} let go "
            f"({event.sqlstate}), {event.waited_s:.1f} s in all; next in {event.next_try_s:.1f} s{longer}, gives up "
            f"after {event.patience_s:.0f} s"
        )


def _shown_lines(event: Event) -> list[str]:
    """What a step shows before it runs; and what is done to the types file: its difference before, its path after."""
    match event:
        case events.StepPreviewed():
            return preview_lines({event.step: event.tables})
        case events.TypesCompared(plan=plan):
            return [f"  {visible(line)}" for line in plan.difference] + [f"  note: {note}" for note in plan.notes]
        case events.TypesFileWritten(written=written):
            kept = f"; as it was before: {written.copy_path}" if written.copy_path else ""
            return ["  " + one_line(f"written: {written.path}{kept}")]
        case events.TypesFileRestored(file=file):
            return ["  " + one_line(f"{file.path} {file.words}")]
    return []


def _differences(event: events.CheckFinished) -> list[str]:
    result = event.result
    if result.error:
        return [f"    {one_line(result.error)}"]
    return [
        f"    {one_line(row.subject)}: expected {one_line(str(row.expected))}, found {one_line(str(row.found))}"
        for row in result.rows
        if not row.passed
    ][:10]


@contextmanager
def progress(rollout: Rollout, *, as_json: bool) -> Iterator[Listener]:
    """The listener that shows a run while the context is open: to people on stderr, with --json as events on stdout."""
    live = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
    lines = Lines(rollout, live=live)
    if live:
        with _live(lines) as show:
            yield _with_events(show) if as_json else show
        return

    def plain(event: Event) -> None:
        say(*lines.of(event))

    yield _with_events(plain) if as_json else plain


def _with_events(show: Listener) -> Listener:
    """`show`, after the event was written as one JSON line on stdout."""

    def both(event: Event) -> None:
        write_line(event.model_dump(mode="json"))
        show(event)

    return both


@contextmanager
def _live(lines: Lines) -> Iterator[Listener]:
    """On a terminal: finished steps as lines, the running one below them with its time."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    live = Live(
        get_renderable=lambda: now_running(lines, console),
        console=console,
        refresh_per_second=4,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )

    def show(event: Event) -> None:
        for line in lines.of(event):
            try:
                console.print(Text(line, style=_style(event)))
            except OSError:  # a terminal that is gone ends the words, not the run
                silence(sys.stderr)

    with live:
        yield show


def now_running(lines: Lines, console: Console) -> RenderableType:
    """What is running and for how long; below it how far it is, where that is known."""
    from rich.console import Group
    from rich.text import Text

    if not lines.now:
        return Text("")
    seconds = (datetime.now(UTC) - lines.since).total_seconds()
    head = Text(f"{lines.now}  {clock(seconds)}", style="bold", no_wrap=True, overflow="ellipsis")
    return Group(head, *_metered(lines.meter, console)) if lines.meter else head


def _metered(meter: Meter, console: Console) -> list[Text]:
    from rich.text import Text

    done = pace.percent(meter.done, meter.total)
    words = meter.words if done is None else f"{done} %  {meter.words}"
    room = min(console.width - width_of(words) - 5, 40)
    line = Text("  ", no_wrap=True, overflow="ellipsis")
    if meter.total and room >= 10:
        filled, left = bar(meter.done, meter.total, room, unicode=speaks_unicode(sys.stderr))
        line.append(filled, style="blue").append(left, style="dim").append("  ")
    drawn = [line.append(words)]
    if meter.pace:
        drawn.append(Text(f"  {meter.pace}", style="dim", no_wrap=True, overflow="ellipsis"))
    if meter.slowed:
        drawn.append(Text(f"  slowed down: {meter.slowed}", style="yellow", no_wrap=True, overflow="ellipsis"))
    return drawn


_STYLES = {StepState.FAILED: "red", StepState.CONFLICT: "red", StepState.ADOPTED: "cyan", StepState.OPEN: "yellow"}


_WARNINGS = (
    events.ConnectionLost,
    events.LockWaited,
    events.BlockersSeen,
    events.CheckFinished,
    events.PrerequisiteChecked,
)


def _style(event: Event) -> str:
    """Colour as an addition: the words say the same."""
    if isinstance(event, events.StepFinished):
        return _STYLES.get(event.state, "")
    if isinstance(event, events.StepPreviewed):
        return ""
    return "yellow" if isinstance(event, _WARNINGS) else "dim"
