"""The state pages after something went wrong: what happened, the database now, what to do, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.errors import ExitCode
from wizard.ui.board import Board
from wizard.ui.pages.sql import excerpt
from wizard.ui.pages.step import prerequisites
from wizard.ui.pages.words import heading, place_of
from wizard.ui.text import foreign, one_line, paragraph, stacked
from wizard.ui.trouble import Activity, Trouble

if TYPE_CHECKING:
    from wizard.engine.views import Failure

Lines = list[Content]

NARROW = 78
"""Below this width the pages do without blank lines."""


def trouble_page(board: Board, width: int) -> Lines:
    trouble = board.trouble
    if trouble is None:
        return []
    lines = _four(
        (trouble.what, trouble.why),
        _state(board, trouble),
        (trouble.fix,) if trouble.fix else (),
        _keys_in_trouble(board, trouble),
        width,
    )
    if any(result.level == "stop" for result in board.prerequisites):
        lines += [Content(""), heading("Prerequisites"), Content(""), prerequisites(board, width)]
    return lines


def _state(board: Board, trouble: Trouble) -> str:
    if board.sentence and trouble.exit_code == ExitCode.CONNECTION and not board.unread:
        return f"It does not answer now. As last read: {board.sentence}"
    return board.sentence or _untouched(board, trouble)


def _untouched(board: Board, trouble: Trouble) -> str:
    """Of a start that never came to a survey: the database may have been read, and what stands there is not known."""
    if board.target is None or trouble.exit_code == ExitCode.CONNECTION:
        return "Nothing was changed: the wizard never got as far as the database."
    return f"This start only read, and changed nothing. What stands there tells: {board.command} status"


def _keys_in_trouble(board: Board, trouble: Trouble) -> str:
    if board.survey is None or board.unread:
        first = "r  correct the target, or try it again" if board.target_typed else "r  try again"
        return f"{first}    q  quit" if board.survey is None else "r  ask the database again    q  quit"
    if board.failure is not None and trouble.concerns_the_rollout and not board.may_close:
        return _keys_when_failed(board)
    if board.may_close:
        again = {Activity.ROLLING_BACK: "b  the rollback plan    ", Activity.VERIFYING: "v  verify again    "}
        return f"{again.get(trouble.during, '')}enter  close this page    ?  all keys    q  quit"
    step = board.next_step
    runs = f"enter  run {step.id}    " if not (step is None or board.conflicts or board.looks_only) else ""
    return f"{'e  end that session    ' if trouble.abandoned else ''}{runs}?  all keys    q  quit"


def _keys_when_failed(board: Board) -> str:
    if board.started_with:
        return f"q  quit    (r and b need a start without {board.started_with})"
    return "r  retry    b  roll back    q  stop and resume later"


def failed_page(board: Board, width: int) -> Lines:
    failure = board.failure
    if failure is None:
        return []
    head = Content.assemble((f"{one_line(failure.sqlstate)}  ", "bold $error"), foreign(one_line(failure.message)))
    said = [(label, text) for label, text in (("Detail", failure.detail), ("Hint", failure.hint)) if text]
    words = [line for label, text in said for line in paragraph(f"{label}: {text}", width - 2, style="$quiet")]
    statement = _statement(board, failure, width)
    keys = _keys_when_failed(board)
    state = failure.state_now or board.sentence
    if width < NARROW:  # all four parts before the statement, which is long
        lines = _numbered([*head.wrap(width - 2), *words], state, failure.todo, keys, width)
        return [*lines, Content(""), heading("The statement"), *map(_indented, statement)]
    return _numbered([*head.wrap(width - 2), *words, *statement], state, failure.todo, keys, width)


def _statement(board: Board, failure: Failure, width: int) -> Lines:
    """Context, place and text of the failed statement."""
    lines = paragraph(f"Context: {failure.context}", width - 2, style="$quiet") if failure.context else []
    if where := place_of(failure):
        lines.append(Content.styled(f"at {one_line(where)}", "$quiet"))
    if failure.sql:
        lines.append(excerpt(failure.sql, width - 2, fault=_fault(board, failure), lines=4))
    return lines


def _fault(board: Board, failure: Failure) -> tuple[int, int] | None:
    """Line and column of the fault inside the statement, from its place in the file."""
    if not failure.line or not failure.column:
        return None
    step = board.step(failure.step)
    statements = [statement for part in step.parts for statement in part.statements] if step else []
    for statement in statements:
        if statement.file == failure.file and statement.sql.strip() == failure.sql.strip():
            return failure.line - statement.line, failure.column
    return None


def _four(happened: tuple[str, ...], state: str, todo: tuple[str, ...], keys: str, width: int) -> Lines:
    lines = [line for text in happened if text for line in paragraph(text, width - 2)]
    return _numbered(lines, state, todo, keys, width)


def _numbered(happened: Lines, state: str, todo: tuple[str, ...], keys: str, width: int) -> Lines:
    """The four parts that people need after something went wrong."""
    gap = [] if width < NARROW else [Content("")]
    lines: Lines = [heading("1  What happened"), *(_indented(line) for line in happened), *gap]
    lines += [heading("2  The database now"), *paragraph(state, width, indent="  "), *gap]
    lines.append(heading("3  What to do"))
    for text in todo or ("Look at the tabs 1 to 6; nothing runs before you say so.",):
        wrapped = paragraph(text, width - 4)
        lines += [Content.assemble("  · " if index == 0 else "    ", line) for index, line in enumerate(wrapped)]
    if width < NARROW:
        return [*lines, Content.assemble(heading("4  Keys"), "  ", (keys, "bold"))]
    return [*lines, *gap, heading("4  Keys"), Content.assemble("  ", (keys, "bold"))]


def _indented(block: Content) -> Content:
    return stacked(Content.assemble("  ", line) for line in block.split("\n", allow_blank=True))
