"""The state pages of the stage: connecting, not verified, finished, rolled back, dry run and so on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.rollout.kind import StepKind
from wizard.text import plural
from wizard.ui.board import Board
from wizard.ui.page import Page
from wizard.ui.pages import decisions, differences
from wizard.ui.pages.objects import standing
from wizard.ui.pages.stopped import failed_page, trouble_page
from wizard.ui.pages.words import heading, moment, state_style
from wizard.ui.text import clip, foreign, hanging, one_line, paragraph, spread, stacked

if TYPE_CHECKING:
    from wizard.engine.views import CriterionResult, StepView

Lines = list[Content]


def page(board: Board, which: Page, step_id: str, width: int) -> Content:
    """The text of a state page; `step_id` is the highlighted step."""
    if which is Page.CONFLICT:
        return stacked(differences.page(board, step_id, width))
    return stacked(_PAGES[which](board, width))


def title(board: Board, which: Page) -> str:
    """The words in the border of the stage."""
    failure = board.failure
    if which is Page.FAILED and failure is not None:
        return f"{failure.step}  {failure.title}"
    return {
        Page.CONNECTING: "Connecting",
        Page.TROUBLE: "Stopped",
        Page.CONFLICT: "Something else of that name is there",
        Page.CHECKS_FAILED: "Verification found a difference",
        Page.FINISHED: "Finished",
        Page.ROLLED_BACK: "Rolled back",
        Page.DRY_RUN: "Dry run",
        Page.DECISION: "A decision is yours",
        Page.RESUME: "A rollout is under way here",
    }.get(which, "")


def _connecting(board: Board, width: int) -> Lines:
    what = "Starting the demo database." if board.launch.demo else "Connecting and reading the state of the database."
    again = "The first start makes the database and takes a few seconds longer." if board.launch.demo else ""
    return [
        *paragraph(what, width),
        *paragraph(again, width, style="$quiet"),
        Content(""),
        *paragraph("Nothing is changed by looking: the session is read-only.", width, style="$quiet"),
    ]


def _checks_failed(board: Board, width: int) -> Lines:
    verification = board.verification
    if verification is None:
        return []
    lines = paragraph("The parts are committed; these checks found something else than expected.", width)
    for check in board.judged:
        if check.passed:
            continue
        lines += [Content(""), Content.assemble(("✖ ", "$error"), foreign(f"{check.step}  {check.title}"))]
        if check.error:
            lines += paragraph(check.error, width, indent="    ", style="$error")
        for row in check.rows:
            if not row.passed:
                text = f"{row.subject}: expected {row.expected or 'nothing'}, found {row.found or 'nothing'}"
                lines += paragraph(text, width, indent="    ")
    left = len(verification.checks) > len(board.judged)
    # A criterion that nothing was run for yet has not failed.
    not_yet = "Checks of steps that are still to run are not judged yet."
    summary = paragraph(not_yet, width, style="$quiet") if left else _criteria(board, width)
    keys = "v  verify again    b  roll back    q  stop and resume later"
    return [*lines, Content(""), *summary, Content(""), Content.styled(keys, "bold")]


def _finished(board: Board, width: int) -> Lines:
    verification = board.verification
    keys = Content.styled("v  verify    x  export the report    b  roll back    q  quit", "bold")
    if verification is None:
        return [*paragraph("Not verified in this sitting; v verifies now (reads only).", width), Content(""), keys]
    lines = _criteria(board, width)
    if verification.next_steps:
        lines += [Content(""), heading("Next, outside the wizard")]
        for index, text in enumerate(verification.next_steps, start=1):
            wrapped = paragraph(text, width - 4)
            lines += [Content.assemble(f"{index:>2}  " if at == 0 else "    ", line) for at, line in enumerate(wrapped)]
    if verification.listing:
        places = plural(len(verification.listing), "place")
        lines += [Content(""), heading(f"The guide's listing of types is wrong about this database in {places}")]
        lines += [line for text in verification.listing for line in hanging(text, width, "  · ")]
    return [*lines, Content(""), keys]


def _criteria(board: Board, width: int) -> Lines:
    verification = board.verification
    if verification is None or not verification.criteria:
        return []
    passed = sum(criterion.state == "passed" for criterion in verification.criteria)
    lines = [heading(f"Success criteria  {passed} of {len(verification.criteria)}")]
    for criterion in verification.criteria:
        lines += _criterion(criterion, width)
    return lines


def _criterion(criterion: CriterionResult, width: int) -> Lines:
    """One line: glyph, words, state where it is not passed; the checks behind it as far as they fit."""
    glyph, style = {
        "passed": ("✔", "$success"),
        "failed": ("✖", "$error"),
        "open": ("○", "$warning"),
        "not tried": ("·", "$quiet"),
    }[criterion.state]
    word = "" if criterion.state == "passed" else f"  {criterion.state}"
    head = Content.assemble((f"{glyph} ", style), clip(criterion.title, width - 2 - len(word)), (word, style))
    count = f" {len(criterion.checks)}" if len(criterion.checks) > 1 else ""
    proof = clip(", ".join(criterion.checks), max(min(width - head.cell_length - len(count) - 2, 30), 0))
    lines = [spread(head, Content.styled(proof + count, "$quiet"), width)]
    if criterion.note:
        lines += paragraph(criterion.note, width, indent="    ", style="$quiet")
    return lines


def _rolled_back(board: Board, width: int) -> Lines:
    remains = "The schema rag_wizard with the statement log. This command exports the log and drops the schema:"
    lines: Lines = [
        *_archived(board, width),
        heading("What remains"),
        *paragraph(remains, width, indent="  "),
        *(line.stylize("bold") for line in paragraph(forget_command(board), width, indent="  ")),
        Content(""),
        Content.styled("enter  run again    y  copy the command    x  export the log    q  quit", "bold"),
    ]
    gone = [line for line in board.log if line.outcome == "reverted"]
    if gone:
        lines += [Content(""), heading("What was sent, newest last")]
    places = max((len(line.place) for line in gone), default=0) + 2
    for line in gone:
        sent = Content.assemble("  ", (f"{line.place:<{places}}", "$quiet"), foreign(one_line(line.text)))
        lines.append(sent.truncate(width, ellipsis=True))
    return lines


def _archived(board: Board, width: int) -> Lines:
    archives = board.survey.archives if board.survey is not None else ()
    if not archives:
        return []
    lines = [heading("Rows archived")]
    for archive in archives:
        late = f", and up to {archive.late:,} that came or changed meanwhile," if archive.late else ""
        rows = f"{plural(archive.rows, 'row')}{late} in {archive.path} on {archive.host}"
        lines += paragraph(rows, width, indent="  ")
    lines += paragraph("After a new run this puts them back:", width, indent="  ")
    command = one_line(f"{board.command} restore {shlex.quote(archives[0].path)}")
    lines += [line.stylize("bold") for line in paragraph(command, width, indent="  ")]
    return [*lines, Content("")]


def forget_command(board: Board) -> str:
    """The command that drops the registry of this target."""
    return one_line(f"{board.command} forget")


def _dry_run(board: Board, width: int) -> Lines:
    dry = board.dry_run
    if dry is None:
        return []
    lines = [*paragraph(dry.sentence, width), Content("")]
    if dry.refused:
        lines.append(heading("Would be refused"))
        for text in dry.refused.splitlines():
            lines += paragraph(text, width, indent="  ", style="$error")
        lines.append(Content(""))
    stops = [result for result in dry.prerequisites if result.level == "stop"]
    if stops:
        lines.append(heading(f"Would stop it  {plural(len(stops), 'prerequisite')}"))
        for result in stops:
            lines += hanging(f"{result.title}: {result.found}", width, "✖ ", style="$error")
        lines.append(Content(""))
    lines += differences.all_of([conflict for step in dry.would_run for conflict in step.conflicts], width)
    lines += _would_ask(board, width)
    lines.append(heading(f"Would run  {plural(len(dry.would_run), 'step')}"))
    for step in dry.would_run:
        state, _ = standing(board, step)
        head = Content.assemble((f"{state.glyph} ", state_style(state)), f"{step.id:<4}", foreign(step.title))
        lines.append(spread(head, Content.styled(_would(step), "$quiet"), width))
    if dry.cannot_tell:
        lines += [Content(""), heading("What reading cannot tell")]
        for text in dry.cannot_tell:
            wrapped = paragraph(text, width - 4)
            lines += [Content.assemble("  · " if at == 0 else "    ", line) for at, line in enumerate(wrapped)]
    leave = "look again" if board.launch.dry_run else "leave the dry run"
    lines += [
        Content(""),
        Content(f"The real run would end with exit code {dry.exit_code}, as far as reading can tell."),
    ]
    return [*lines, Content(""), Content.styled(f"d  {leave}    1 to 6  look at each step", "bold")]


def _would_ask(board: Board, width: int) -> Lines:
    """Where to answer what a run would ask first; a dry run that can be left is left for that."""
    if not (board.launch.dry_run and board.open_decisions):
        return []
    lines = [heading("Would ask first")]
    for asked in board.open_decisions:
        lines += hanging(f"{asked.name}: answer it here in step {asked.step}, key 6", width, "? ")
    return [*lines, Content("")]


def _would(step: StepView) -> str:
    """What a run would do with a step, in a few words."""
    if step.conflicts:
        return "would stop: conflict"
    count = sum(not statement.ours for part in step.parts for statement in part.statements)
    found = sum(one.origin == "adopted" for one in step.objects)
    if not count and found:
        return f"adopts {plural(found, 'object')}"
    manual = "writes the types file" if step.types else "yours to do"
    words = plural(count, "statement") if count else "reads only" if step.kind is not StepKind.MANUAL else manual
    there = f", {found} of {len(step.objects)} there" if found else ""
    return f"{words}{there}{', online' if step.strategy.startswith('online') else ''}"


def _resume(board: Board, width: int) -> Lines:
    survey = board.survey
    step = board.next_step
    session = survey.last_session if survey else None
    lines: Lines = []
    if session is not None:
        who = f"A rollout by {session.operator} on host {session.host}, since {moment(session.started_at)} UTC"
        stands = f", stands at {step.id} {step.title}." if step else ", is complete."
        lines += paragraph(who + stands, width)
        if session.ended_at is None:
            lines += paragraph("That session has not said goodbye: it may still be open.", width, style="$warning")
    lines += [Content(""), *paragraph(board.sentence, width, style="$quiet"), Content("")]
    lines += paragraph("What is committed stays as it is and is not run again.", width, style="$quiet")
    return [
        *lines,
        Content(""),
        Content.styled("enter  go on with this step    a  everything left    b  roll back    q  quit", "bold"),
    ]


_PAGES = {
    Page.CONNECTING: _connecting,
    Page.TROUBLE: trouble_page,
    Page.FAILED: failed_page,
    Page.CHECKS_FAILED: _checks_failed,
    Page.FINISHED: _finished,
    Page.ROLLED_BACK: _rolled_back,
    Page.DRY_RUN: _dry_run,
    Page.DECISION: decisions.open_question,
    Page.RESUME: _resume,
}
