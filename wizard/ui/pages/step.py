"""The six tabs of a step: About, Locks, Rollback, Checks, Deviations; SQL has a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.engine.state import StepState
from wizard.rollout.kind import StepKind
from wizard.text import plural
from wizard.ui.pages import decisions, objects, previews
from wizard.ui.pages.sql import listing, named
from wizard.ui.pages.words import LEVELS, heading, rows_of, size_of, took
from wizard.ui.text import Field, clip, fields, foreign, one_line, paragraph, stacked

if TYPE_CHECKING:
    from wizard.engine.views import CheckResult, StepView
    from wizard.rollout.model import Lock
    from wizard.ui.board import Board

WIDE_LABELS = {
    "does": "Does", "why": "Why", "where": "In the database", "locks": "Locks", "rows": "Rows", "time": "Time",
    "fails": "If it fails", "rollback": "Rollback", "differs": "Differs", "todo": "You do",
}  # fmt: skip
NARROW_LABELS = WIDE_LABELS | {"where": "There", "fails": "Fails", "rollback": "Back", "differs": "Diff"}

WAITS = {
    "ACCESS EXCLUSIVE": "reads and writes of the table wait while it is held",
    "EXCLUSIVE": "writes wait while it is held, reads go on",
    "SHARE ROW EXCLUSIVE": "writes wait while it is held, reads go on",
    "SHARE": "writes wait while it is held, reads go on",
    "SHARE UPDATE EXCLUSIVE": "reads and writes go on; VACUUM and DDL wait",
    "ROW EXCLUSIVE": "reads and writes go on; DDL waits",
    "ROW SHARE": "reads and writes go on; DDL waits",
    "ACCESS SHARE": "reads and writes go on; DROP and ALTER wait",
}
"""What a lock means for the application: https://www.postgresql.org/docs/current/explicit-locking.html"""


def about(board: Board, step: StepView, width: int) -> Content:
    """What the step does, why, what it locks and reads, and what happens when it fails."""
    narrow = width < 78
    labels = NARROW_LABELS if narrow else WIDE_LABELS
    first: list[Field] = [(labels["does"], step.does), (labels["why"], step.why)]
    shown, rest = previews.lines(board, step, width)
    rows: list[Field] = []
    if step.todo and not (step.types and step.state is StepState.DONE):
        rows.append((labels["todo"], step.todo))
    rows.append((labels["where"], objects.in_the_database(board, step)))
    if runs := how_it_runs(step):
        rows.append(("Runs", runs))
    rows += objects.rows(step, narrow=narrow)
    rows += _locks_short(labels["locks"], step)
    rows.append((labels["rows"], step.rows or "no row that exists is read or rewritten"))
    rows += [("", size_of(size)) for size in step.sizes]
    rows.append((labels["time"], _time(step)))
    rows.append((labels["fails"], "the part is rolled back, the parts before it stay, you are asked"))
    rows.append((labels["rollback"], objects.rolled_back(step) or "nothing to roll back"))
    if step.deviations:
        titles = "; ".join(one_line(deviation.title) for deviation in step.deviations)
        rows.append((labels["differs"], f"{plural(len(step.deviations), 'deviation')} (key 6): {titles}"))
    indent = 7 if narrow else 10
    return stacked([*fields(first, width, indent), *shown, *fields(rows, width, indent), *rest])


def how_it_runs(step: StepView) -> str:
    """The strategy and why, and the parts that commit one by one."""
    if len(step.parts) < 2:
        return step.strategy
    titles = "; ".join(one_line(part.title) for part in step.parts)
    return f"{step.strategy}. {len(step.parts)} parts, committed one by one: {titles}"


def _time(step: StepView) -> str:
    measured = [part.seconds for part in step.parts if part.seconds is not None]
    return f"took {took(sum(measured))}" if measured else "no estimate (never run on this server)"


def _taken(step: StepView) -> list[Lock]:
    """The locks of its parts where these are told, else those of the step; each once."""
    of_parts = [lock for part in step.parts for lock in part.locks]
    return list({(lock.mode, lock.table): lock for lock in of_parts or step.locks}.values())


def _locks_short(label: str, step: StepView) -> list[Field]:
    existing = [lock for lock in _taken(step) if lock.existing]
    if not existing:
        return [(label, "none on a table that the application already uses")]
    of_parts = any(part.locks for part in step.parts)
    rows = [f"{lock.mode} on {lock.table}{f': {one_line(lock.note)}' if of_parts else ''}" for lock in existing]
    return [(label if index == 0 else "", row) for index, row in enumerate(rows)]


def locks(_board: Board, step: StepView, width: int) -> Content:
    """Every lock the step takes, those on the application's tables first."""
    lines = _locks_of_parts(step, width)
    for title, wanted in (("On tables that the application uses", True), ("On what the step makes itself", False)):
        if any(part.locks for part in step.parts):
            break
        chosen = [lock for lock in step.locks if lock.existing is wanted]
        if chosen or wanted:
            lines += [heading(title), Content("")]
        for lock in chosen:
            lines += _lock(lock, step, width)
        if wanted and not chosen:
            lines += [*paragraph("None: no query of the application waits for this step.", width), Content("")]
    lines += paragraph(
        "A try waits at most the lock timeout, then lets go and tries again, so that nothing queues behind it for "
        "longer. Rolling the step back takes locks too: key 4 shows its statements.",
        width,
        style="$quiet",
    )
    return stacked(lines)


def _locks_of_parts(step: StepView, width: int) -> list[Content]:
    """Part after part, the locks of each: they are let go when the part commits."""
    lines: list[Content] = []
    if not any(part.locks for part in step.parts):
        return lines
    for index, part in enumerate(step.parts, start=1):
        each = ", let go after each batch" if part.in_batches else ""
        lines.append(heading(clip(f"Part {index} of {len(step.parts)}: {part.title}{each}", width)))
        for lock in part.locks:
            lines += _lock(lock, step, width)
        if not part.locks:
            lines += [*paragraph("None on a table.", width, indent="  ", style="$quiet"), Content("")]
    return lines


def _lock(lock: Lock, step: StepView, width: int) -> list[Content]:
    size = next((f", {rows_of(size)}" for size in step.sizes if size.table == lock.table), "")
    lines = [Content.assemble((one_line(lock.mode), "bold $warning" if lock.existing else "bold"), " on ",
                              foreign(lock.table), size)]  # fmt: skip
    lines += paragraph(WAITS.get(lock.mode, ""), width, indent="  ", style="$quiet")
    if lock.note:
        lines += paragraph(lock.note, width, indent="  ")
    return [*lines, Content("")]


def rollback(step: StepView, width: int, *, unfolded: bool) -> Content:
    """What rolling the step back does, and its SQL."""
    before, taken = objects.listed(step, width)
    words = objects.rolled_back(step) or "This step makes nothing, so there is nothing to roll back."
    lines = [*paragraph(words[:1].upper() + words[1:], width), Content(""), *before]
    if not step.revert:
        return stacked(lines)
    source = "As recorded when it ran:" if step.state.is_complete else "As it would be sent:"
    lines += [
        Content.styled(source, "$quiet"),
        Content(""),
        *named(step.revert, width),
        listing(step.revert, width, unfolded=unfolded),
    ]
    return stacked([*lines, *([Content(""), *taken] if taken else [])])


def checks(board: Board, step: StepView, width: int) -> Content:
    """The checks of a step with the last result of this sitting."""
    if board.prerequisites and step.kind is StepKind.PREREQUISITES:
        return prerequisites(board, width)
    if not step.checks:
        return stacked(paragraph("This step has no checks of its own.", width))
    lines: list[Content] = []
    for check_id, title in step.checks:
        lines += _check(board.checks.get((step.id, check_id)), title, width)
    if not any((step.id, check_id) in board.checks for check_id, _ in step.checks):
        lines += [Content(""), *paragraph("Not tried in this sitting; v verifies now.", width, style="$quiet")]
    return stacked(lines)


def _check(result: CheckResult | None, title: str, width: int) -> list[Content]:
    if result is None:
        return paragraph(title, width, indent="· ")
    passed = sum(row.passed for row in result.rows)
    glyph, style = ("✔", "$success") if result.passed else ("✖", "$error")
    count = f"{passed} of {len(result.rows)}" if result.rows else "no rows"
    lines = [Content.assemble((f"{glyph} ", style), foreign(title), (f"  {count}", "$quiet"))]
    if result.error:
        lines += paragraph(result.error, width, indent="    ", style="$error")
    for row in result.rows:
        if not row.passed:
            text = f"{row.subject}: expected {row.expected or 'nothing'}, found {row.found or 'nothing'}"
            lines += paragraph(text, width, indent="    ", style="$error")
    return lines


def prerequisites(board: Board, width: int) -> Content:
    """The prerequisites as judged in this sitting, each with its fix."""
    lines: list[Content] = []
    for result in sorted(board.prerequisites, key=lambda result: result.level != "stop"):
        glyph, style = LEVELS[result.level]
        lines.append(Content.assemble((f"{glyph} {result.level}  ", style), foreign(result.title)))
        if result.found:
            lines += paragraph(result.found, width, indent="        ", style="$quiet")
        if result.fix and result.level != "pass":
            lines += paragraph(f"Fix: {result.fix}", width, indent="        ")
    return stacked(lines)


def deviations(board: Board, step: StepView, width: int) -> Content:
    """Where the wizard leaves the guide's letter, and the decisions that shaped this step."""
    lines = decisions.of_step(board, step, width)
    for deviation in step.deviations:
        lines += [*paragraph(deviation.title, width, style="bold"), *paragraph(deviation.reason, width, indent="  ")]
        lines.append(Content(""))
    return stacked(lines or paragraph("None: this step does what the guide says, to the letter.", width))
