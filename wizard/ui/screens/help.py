"""The keys of the main screen, with the reason for each dimmed one; and the page about the target."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from wizard.ui.board import Board
from wizard.ui.commands import COMMANDS, View, label
from wizard.ui.screens.card import Card
from wizard.ui.text import Field, fields, paragraph, stacked

PRODUCTION = ", production: the target name is typed before the first write"
CLOSE = "esc  close    up down  scroll"


class Help(Card[None]):
    """All keys; the key that opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "close", "Close", show=False)]

    def __init__(self, board: Board, view: View, width: int) -> None:
        super().__init__("Keys", keys_table(board, view, width), CLOSE)


def keys_table(board: Board, view: View, width: int) -> Content:
    """Key, what it does, and why it does nothing now where that is so."""
    lines: list[Content] = []
    for command in COMMANDS:
        reason = command.reason(board, view)
        style = "$quiet" if reason else ""
        words = Content.styled(f"{label(command, board)}: {command.help}", style)
        first, *more = words.wrap(width - 14)
        lines.append(Content.assemble((f"{command.shown:<14}", "$quiet" if reason else "bold $primary"), first))
        lines += [Content.assemble(" " * 14, line) for line in more]
        if reason:
            lines += paragraph(f"not now: {reason}", width, indent=" " * 14, style="$warning")
    return stacked(lines)


class Info(Card[None]):
    """Target, connection, role, and where the settings came from; the key that opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "close", "Close", show=False)]

    def __init__(self, board: Board, width: int) -> None:
        super().__init__("Target", stacked(fields(facts(board), width, 14)), CLOSE)


def facts(board: Board) -> list[Field]:
    """What is known of the target; never a password."""
    target, survey = board.target, board.survey
    if target is None:
        return [("Target", "not known yet")]
    rows: list[Field] = [
        ("Target", target.name),
        ("Address", target.address),
        ("Environment", target.env + (PRODUCTION if target.production else "")),
        ("Settings", f"from {target.source}"),
    ]
    if survey is not None:
        server = survey.server
        rows += [
            ("Server", f"PostgreSQL {server.version}"),
            ("Connection", f"{server.connection}, {'TLS' if server.tls else 'no TLS'}"),
            ("Role", server.role),
            ("Schema", survey.schema_name),
            ("Rollout", survey.rollout),
            ("Log", f"{survey.statements} statements in schema rag_wizard"),
        ]
    rows.append(("Operator", board.launch.operator or "unknown"))
    looks = f"{board.started_with.lstrip('-')}: nothing can be changed"
    rows.append(("Mode", looks if board.started_with else "runs when you say so"))
    rows += [("Notice", notice) for notice in target.notices]
    return rows
