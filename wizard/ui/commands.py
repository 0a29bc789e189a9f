"""The one table of commands: id, keys, label, help, and when a key is dimmed and why. Footer, palette, help read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

from wizard.ui.board import Board
from wizard.ui.page import Page
from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.engine.views import Blocker


@dataclass(frozen=True)
class View:
    """What besides the board decides whether a key is dimmed."""

    narrow: bool = False
    copyable: bool = True
    """There is something to copy on the stage."""
    choosing: bool = False
    """The highlighted step takes a types file."""


READ_ONLY = "this session is read-only; start without --read-only to change anything"
STARTED_DRY = "it was started with --dry-run; start without it to run"
DRY = "dry run is on; press d to leave it"

Reason = Callable[[Board, View], str]
"""Why the key does nothing now, as a clause for the State line; empty when it works."""


def never(_board: Board, _view: View) -> str:
    """A looking key: always works."""
    return ""


def _doing(board: Board) -> str:
    """What the engine is busy with, as a clause."""
    live = board.live
    if board.activity is Activity.CONNECTING:
        return "not connected yet"
    if live is not None:
        return f"{live.step} is being rolled back" if live.direction == "revert" else f"{live.step} is running"
    return f"the wizard is {board.activity.value}"


def _connected(board: Board) -> str:
    if board.unread and not board.busy:
        return "the database gave no answer; r asks it again"
    if board.survey is None and not board.busy:
        return "not connected; press r to try again"
    return _doing(board) if board.survey is None else ""


def to_run(board: Board, _view: View) -> str:
    """For Enter and a."""
    if reason := _connected(board):
        return reason
    if board.busy:
        return f"{_doing(board)}; space pauses after this {board.unit}"
    return next((reason for holds, reason in _standing(board) if holds), "")


def to_enter(board: Board, view: View) -> str:
    """For Enter: runs the next step, chooses a types file, or closes the page of a trouble."""
    return "" if view.choosing or board.may_close else to_run(board, view)


def _looks_only(board: Board) -> str:
    """Why nothing may be written."""
    if board.launch.read_only:
        return READ_ONLY
    if board.launch.dry_run:
        return STARTED_DRY
    return DRY if board.dry else ""


def _standing(board: Board) -> tuple[tuple[bool, str], ...]:
    failed = board.failure.step if board.failure else ""
    return (
        (board.looks_only, _looks_only(board)),
        (bool(failed), f"{failed} failed; r retries, b rolls back, q stops and resumes later"),
        (board.next_step is None, "nothing is left to run"),
    )


def to_run_all(board: Board, view: View) -> str:
    """For a. Enter works while there is a conflict: it looks again."""
    steps = ", ".join(dict.fromkeys(conflict.step for conflict in board.conflicts))
    return to_run(board, view) or (f"conflict in {steps}; enter looks again" if steps else "")


def to_read(board: Board, _view: View) -> str:
    """For d and v."""
    return _connected(board) or (f"{_doing(board)}; wait until it ends" if board.busy else "")


def to_pause(board: Board, _view: View) -> str:
    """For space."""
    if board.activity.writes:
        return "it is stopping already" if board.stop_asked else ""
    return "nothing is running"


def to_pace(board: Board, _view: View) -> str:
    """For + - < >."""
    return "" if board.live is not None and board.live.backfill is not None else "no backfill is running"


def to_retry(board: Board, _view: View) -> str:
    """For r: the failed part, or the connection."""
    if board.activity is Activity.OFFLINE or (board.unread and not board.busy):
        return ""
    if board.failure is None:
        return _connected(board) or "nothing failed"
    if board.looks_only:
        return _looks_only(board)
    return f"{_doing(board)}; wait until it ends" if board.busy else ""


def to_end_orphan(board: Board, _view: View) -> str:
    """For e."""
    in_the_way = board.trouble is not None and board.trouble.abandoned
    return "" if in_the_way and not board.busy else "no abandoned session is in the way"


def to_roll_back(board: Board, _view: View) -> str:
    """For b."""
    if reason := _connected(board):
        return reason
    if board.busy and not board.paused:
        return f"{_doing(board)}; press space to pause first"
    if board.looks_only:
        return _looks_only(board)
    return "" if board.made_something else "nothing was made, so there is nothing to roll back"


def to_see_blockers(board: Board, _view: View) -> str:
    """For w."""
    return "" if board.live is not None and board.live.blockers else "nobody blocks"


def to_cancel_blocker(one: Blocker | None) -> str:
    """For c, with the highlighted session: one that does nothing has no statement to cancel."""
    if one is not None and one.may_be_ended and (one.state or "").startswith("idle"):
        return f"pid {one.pid} is idle: there is no statement to cancel, only t lets its locks go"
    return to_end_blocker(one)


def to_end_blocker(one: Blocker | None) -> str:
    """For t, with the highlighted session."""
    return "nobody blocks" if one is None else one.why_not


def _first(reason: Callable[[Blocker | None], str]) -> Reason:
    """The reason for the first of those who block."""

    def for_first(board: Board, _view: View) -> str:
        return reason(next(iter(board.live.blockers), None) if board.live else None)

    return for_first


def to_list_steps(_board: Board, view: View) -> str:
    """For s."""
    return "" if view.narrow else "the steps are on the screen already"


def to_see_state(board: Board, _view: View) -> str:
    """For 0."""
    return "" if board.page is not Page.NONE else "there is no state page now"


def to_copy(_board: Board, view: View) -> str:
    """For y."""
    return "" if view.copyable else "there is nothing to copy here"


def everywhere(_board: Board, _view: View) -> bool:
    """In the footer at every size."""
    return True


def when_wide(_board: Board, view: View) -> bool:
    """In the footer of the wide screen only."""
    return not view.narrow


def when_backfilling(board: Board, view: View) -> bool:
    """In the footer of the wide screen while the key does something."""
    return not view.narrow and not to_pace(board, view)


def when_not_backfilling(board: Board, view: View) -> bool:
    """Gives way to the keys of a backfill, which are needed then."""
    return not view.narrow and bool(to_pace(board, view))


def when_narrow(board: Board, view: View) -> bool:
    """In the footer of the narrow screen, unless r needs the room."""
    return view.narrow and bool(to_retry(board, view))


def when_blocked(board: Board, view: View) -> bool:
    """w: on the wide screen while somebody blocks; on the narrow one the region above says it."""
    return not view.narrow and not to_see_blockers(board, view)


def when_asked(board: Board, view: View) -> bool:
    """r: on the wide screen, unless w or a backfill's keys need the room; on the narrow one when it does something."""
    return not to_retry(board, view) or (when_not_backfilling(board, view) and not when_blocked(board, view))


def nowhere(_board: Board, _view: View) -> bool:
    """In the help and the palette only."""
    return False


@dataclass(frozen=True)
class Command:
    """One thing the operator can ask for."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them."""
    shown: str
    """The key as people read it."""
    label: str
    help: str
    reason: Reason = never
    footer: Callable[[Board, View], bool] = nowhere
    in_palette: bool = True
    short: tuple[str, str] | None = None
    """Key and label in the footer, where they are others: one entry then stands for two keys."""
    bound: bool = True
    """False where a region binds the keys itself: the table then only explains them."""

    @property
    def bindings(self) -> list[Binding]:
        """The key bindings of the main screen."""
        if not self.bound:
            return []
        return [
            Binding(
                key, f"app.command('{self.id}')", self.label, show=False, id=f"{self.id}-{index}", tooltip=self.help
            )
            for index, key in enumerate(self.keys)
        ]


COMMANDS: tuple[Command, ...] = (
    Command("run", ("enter",), "enter", "Next", "run the next step while it is highlighted; else go to it",
            to_enter, everywhere, in_palette=False),
    Command("all", ("a",), "a", "All", "run everything left, to a decision, a failure or the end", to_run_all,
            everywhere),
    Command("retry", ("r",), "r", "Retry", "retry the failed part, or the connection", to_retry, when_asked),
    Command("end_orphan", ("e",), "e", "End session", "end an abandoned session that is in the way, after a question",
            to_end_orphan),
    Command("dry_run", ("d",), "d", "Dry run", "dry run on and off: read-only, nothing can be changed",
            to_read, when_not_backfilling),
    Command("steps", ("s",), "s", "Steps", "the full step list over the stage", to_list_steps, when_narrow),
    Command("pause", ("space",), "space", "Pause", "pause after this part or batch; again: go on", to_pause,
            everywhere),
    Command("larger_batches", ("plus",), "+", "Larger batches", "more rows in each batch of the backfill, about twice",
            to_pace, when_backfilling, short=("+ -", "Batch")),
    Command("smaller_batches", ("minus",), "-", "Smaller batches", "fewer rows in each batch, about half", to_pace),
    Command("shorter_delay", ("less_than_sign",), "<", "Shorter delay", "less time between two batches of the backfill",
            to_pace, when_backfilling, short=("< >", "Delay")),
    Command("longer_delay", ("greater_than_sign",), ">", "Longer delay", "more time between two batches", to_pace),
    Command("rollback", ("b",), "b", "Roll back", "the rollback plan; Enter there starts it", to_roll_back, everywhere),
    Command("verify", ("v",), "v", "Verify", "verify now (reads only)", to_read, when_wide),
    Command("blockers", ("w",), "w", "Who blocks", "who is in the way of the running part, and what they hold",
            to_see_blockers, when_blocked),
    Command("blocker_cancel", ("c",), "w, then c", "Cancel it", "cancel the statement of the session in the way, after "
            "a question", _first(to_cancel_blocker), in_palette=False, bound=False),
    Command("blocker_end", ("t",), "w, then t", "End it", "end the connection of the session in the way, after a "
            "question", _first(to_end_blocker), in_palette=False, bound=False),
    Command("log", ("l",), "l", "Log", "the log at full height, and back", never, everywhere),
    Command("export", ("x",), "x", "Export", "export the log or the plan to a file", to_read, when_wide),
    Command("help", ("question_mark", "f1"), "?", "Keys", "these keys, with the reason for each dimmed one", never,
            everywhere),
    Command("quit", ("q", "ctrl+q"), "q", "Quit", "quit; while something runs it asks how", never, everywhere),
    Command("cancel", ("ctrl+c",), "ctrl+c", "Cancel", "ask to cancel the running statement; copies selected text",
            bound=False),
    Command("move", ("up", "down", "j", "k", "home", "end"), "up down j k", "Highlight",
            "highlight a step (looks only)", in_palette=False, bound=False),
    Command("region", ("tab", "shift+tab"), "tab", "Region", "next region, shift+tab the one before", in_palette=False,
            bound=False),
    Command("page", ("pagedown", "pageup"), "pgdn pgup", "Page", "page through the stage",
            in_palette=False, bound=False),
    Command("tab-0", ("0",), "0", "State", "what the rollout stands at, when the stage says so", to_see_state,
            in_palette=False),
    Command("tab-1", ("1",), "1", "About", "what the step does and why"),
    Command("tab-2", ("2",), "2", "SQL", "every statement that will be sent"),
    Command("tab-3", ("3",), "3", "Locks", "which locks it takes and who waits for them"),
    Command("tab-4", ("4",), "4", "Rollback", "what rolling the step back does"),
    Command("tab-5", ("5",), "5", "Checks", "how the step is verified, and the result"),
    Command("tab-6", ("6",), "6", "Deviations", "where the wizard leaves the guide, and why"),
    Command("fold", ("o",), "o", "Own SQL", "show and fold the wizard's own statements in the SQL"),
    Command("search", ("slash",), "/", "Search", "search in the SQL, or in the log when it has the focus"),
    Command("match-next", ("n",), "n", "Next match", "the next match of the search", in_palette=False),
    Command("match-previous", ("N",), "N", "Match before", "the match before", in_palette=False),
    Command("copy", ("y",), "y", "Copy", "copy the SQL, the failure or the command to the clipboard", to_copy),
    Command("info", ("i",), "i", "Target", "target, connection, role, where the settings came from"),
    Command("palette", ("ctrl+p",), "ctrl+p", "Palette", "every command by name, and: go to step", in_palette=False,
            bound=False),
    Command("close", ("escape",), "esc", "Close", "close what lies on top; never quits, cancels or answers yes",
            in_palette=False),
)  # fmt: skip

BY_ID = {command.id: command for command in COMMANDS}

TABS = {"1": "About", "2": "SQL", "3": "Locks", "4": "Rollback", "5": "Checks", "6": "Deviations"}
"""Key and word of the six tabs; "0" is the state page while there is one."""


def label(command: Command, board: Board) -> str:
    """The label as it stands now: some keys do the opposite the second time."""
    if command.id == "pause" and board.pause_asked:
        return "Go on"
    if command.id == "dry_run" and board.dry_run is not None and not board.launch.dry_run:
        return "Leave dry run"
    if command.id == "run" and board.may_close:
        return "Close"
    if command.id == "run" and board.conflicts:
        return "Look"
    return command.label


def footer(board: Board, view: View) -> list[tuple[Command, str, str, bool]]:
    """The commands of the footer: command, key, label, dimmed."""
    return [
        (command, *(command.short or (command.shown, label(command, board))), bool(command.reason(board, view)))
        for command in COMMANDS
        if command.footer(board, view)
    ]
