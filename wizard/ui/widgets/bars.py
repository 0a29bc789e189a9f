"""The lines at the top and the bottom: target, state, and the footer of keys. They draw what they are given."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from wizard import __version__
from wizard.ui.board import Board
from wizard.ui.commands import Command
from wizard.ui.pages.sentence import says_dry_run, sentence, styled
from wizard.ui.text import one_line, spread


class TargetBar(Widget):
    """Row 1: program, rollout, target, connection; on the right the environment."""

    ALLOW_SELECT = False
    line: reactive[Content] = reactive(Content(""))

    def show(self, board: Board, *, narrow: bool) -> None:
        """Draw the target of this board."""
        width, badge = max(self.size.width - 2, 0), _badge(board)
        left = _target(board, narrow=narrow)
        if not narrow and left.cell_length + badge.cell_length >= width:
            left = _target(board, narrow=narrow, program=False)
        self.line = spread(left, badge, width)

    def render(self) -> Content:
        """The line, one space in from the edge."""
        return self.line


def _target(board: Board, *, narrow: bool, program: bool = True) -> Content:
    target, survey = board.target, board.survey
    parts: list[Content] = []
    if not narrow and program:
        parts.append(Content.styled(f"rag-wizard {__version__}", "$quiet"))
    if not narrow and survey is not None:
        parts.append(Content(one_line(survey.rollout)))
    if target is None:
        return Content("  ").join([*parts, Content.styled(board.name or "no target yet", "bold")])
    parts.append(Content.styled(one_line(target.name), "bold $primary"))
    facts = [f"{target.host}/{target.dbname} as {target.user}" if narrow else target.address]
    if survey is not None and not narrow:
        server = survey.server
        facts += [f"PG {server.version}", server.connection, "TLS" if server.tls else "no TLS"]
    parts.append(Content.styled(one_line(" · ".join(facts)), "$quiet"))
    return Content("  ").join(parts)


def _badge(board: Board) -> Content:
    target = board.target
    if target is None:
        return Content("")
    word = f" {one_line(target.env).upper()} "
    badge = Content.styled(word, "bold $background on $error" if target.production else "$foreground on $panel")
    if board.launch.read_only:
        return Content.assemble((" READ-ONLY ", "bold $background on $warning"), " ", badge)
    return badge


class StateLine(Widget):
    """Row 2: always one sentence, what is true now; for a moment, why a key did nothing."""

    ALLOW_SELECT = False
    line: reactive[Content] = reactive(Content(""))

    def show(self, board: Board) -> None:
        """Draw the sentence of this board."""
        dry = not board.busy and not board.notice and says_dry_run(board)
        self.set_class(dry, "-dry-run")
        if board.notice:
            self.line = Content.styled(one_line(board.notice), "bold $warning")
        else:
            words = sentence(board, max(self.content_size.width, 0))
            self.line = Content(one_line(words)) if dry else styled(words)

    def render(self) -> Content:
        """The sentence, cut at the end of the line."""
        return self.line.truncate(max(self.content_size.width, 0), ellipsis=True)


class KeyBar(Footer):
    """The footer, filled from the table of commands; a dimmed key stays visible and says why when it is used."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._commands: list[tuple[Command, str, str, bool]] = []

    def show(self, commands: Iterable[tuple[Command, str, str, bool]]) -> None:
        """Draw these commands: command, key, label, dimmed."""
        wanted = list(commands)
        if wanted != self._commands:
            self._commands = wanted
            if self.is_mounted:
                self.refresh(recompose=True)

    def compose(self) -> ComposeResult:
        """One key each, in the order of the table."""
        for command, key, label, dimmed in self._commands:
            yield FooterKey(
                command.keys[0],
                key,
                label,
                f"app.command('{command.id}')",
                tooltip=command.help,
                classes="-dimmed" if dimmed else "",
            ).data_bind(compact=Footer.compact)

    def bindings_changed(self, _screen: object) -> None:
        """The table decides, not the bindings of whatever has the focus."""
