"""Conflicts: what the database has and what the rollout would make, side by side, or one below the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.content import Content

from wizard.ui.text import foreign, one_line, paragraph, spread, visible

if TYPE_CHECKING:
    from wizard.engine.views import ConflictView
    from wizard.ui.board import Board

SIDE_BY_SIDE = 78
"""From this width on two definitions fit beside each other."""
FOUND, EXPECTED = "in the database", "the rollout makes"
NOTHING = "(nothing of that name)"
MARK = "≠ "
"""Before a line that the other side has not, or has differently."""
_BETWEEN = " │ "
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
ALIKE = 0.5
"""Two lines that have less than this share of their words in common are two different lines."""

Pair = tuple[str | None, str | None]
"""A line of what is there and the line of what is expected that belongs beside it; None where there is none."""


def page(board: Board, step_id: str, width: int) -> list[Content]:
    """What it means, what to do, and every conflict; those of the highlighted step first."""
    conflicts = sorted(board.conflicts, key=lambda conflict: conflict.step != step_id)
    lead = (
        "Something of the same name is there and differs. Nothing runs before that is settled: rename it, change it "
        "to what the rollout makes (then it is adopted), or drop it; enter looks again."
    )
    lines = [*paragraph(lead, width), Content("")]
    lines += all_of(conflicts, width)
    keys = "enter  look again    d  dry run    y  copy this page    q  quit"
    return [*lines, Content.styled(keys, "bold")]


def all_of(conflicts: Sequence[ConflictView], width: int) -> list[Content]:
    """Each conflict with both definitions."""
    lines: list[Content] = []
    for number, conflict in enumerate(conflicts, start=1):
        count = f"  {number} of {len(conflicts)}" if len(conflicts) > 1 else ""
        place = Content.styled(f"step {one_line(conflict.step)}{count}", "$quiet")
        name = Content.styled(one_line(conflict.words), "bold $error")
        head = (
            [spread(name, place, width)] if name.cell_length + place.cell_length < width else [*name.wrap(width), place]
        )
        pairs = aligned(_lines(conflict.found), _lines(conflict.expected))
        body = _beside(pairs, width) if width >= SIDE_BY_SIDE else _below(pairs, width)
        lines += [*head, *body, Content("")]
    return lines


def _lines(definition: str) -> list[str]:
    return [line.rstrip() for line in visible(definition).strip("\n").split("\n")] if definition.strip() else [NOTHING]


def aligned(found: Sequence[str], expected: Sequence[str]) -> list[Pair]:
    """Equal lines beside each other; between them lines that begin alike; the rest in order."""
    pairs: list[Pair] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, found, expected, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += zip(found[i1:i2], expected[j1:j2], strict=True)
        else:
            pairs += _alike(found[i1:i2], expected[j1:j2])
    return pairs


def _alike(found: Sequence[str], expected: Sequence[str]) -> Iterator[Pair]:
    """Lines that differ: those of one column or constraint name beside each other."""
    heads = SequenceMatcher(None, [_head(line) for line in found], [_head(line) for line in expected], autojunk=False)
    for tag, i1, i2, j1, j2 in heads.get_opcodes():
        if tag == "equal":
            yield from zip(found[i1:i2], expected[j1:j2], strict=True)
        else:
            yield from zip_longest(found[i1:i2], expected[j1:j2])


def _head(line: str) -> tuple[str, ...]:
    words = line.split()
    return tuple(words[: 2 if words[:1] == ["CONSTRAINT"] else 1])


def _beside(pairs: Sequence[Pair], width: int) -> list[Content]:
    """Two columns; a mark before each line that differs."""
    left = (width - len(MARK) - len(_BETWEEN)) // 2
    right = width - len(MARK) - len(_BETWEEN) - left
    blank = " " * len(MARK)
    lines = [Content.assemble(blank, (FOUND.ljust(left), "$quiet"), (_BETWEEN, "$frame"), (EXPECTED, "$quiet"))]
    for found, expected in pairs:
        differs = found != expected
        sides = zip_longest(_wrapped(found, expected, left), _wrapped(expected, found, right))
        for index, (one, other) in enumerate(sides):
            text = one or Content("")
            mark = (MARK, "bold $error") if differs and index == 0 else (blank, "")
            gap = " " * (left - text.cell_length)
            lines.append(Content.assemble(mark, text, gap, (_BETWEEN, "$frame"), other or Content("")))
    return lines


def _below(pairs: Sequence[Pair], width: int) -> list[Content]:
    """One definition below the other; a mark before each line that the other has not."""
    lines: list[Content] = []
    for title, side in ((FOUND, 0), (EXPECTED, 1)):
        lines.append(Content.styled(f"  {title}", "$quiet"))
        for pair in pairs:
            differs = pair[0] != pair[1]
            for index, text in enumerate(_wrapped(pair[side], pair[1 - side], width - len(MARK))):
                mark = (MARK, "bold $error") if differs and index == 0 else (" " * len(MARK), "")
                lines.append(Content.assemble(mark, text))
    return lines


def _wrapped(line: str | None, other: str | None, width: int) -> list[Content]:
    """A line of a definition in lines of at most `width` cells, those after the first below its text."""
    if line is None:
        return []
    text = _marked(line, other)
    if text.cell_length <= width:
        return [text]
    indent = min(len(line) - len(line.lstrip(" ")), width // 2)
    wrapped = text[len(line) - len(line.lstrip(" ")) :].wrap(max(width - indent - 2, 8))
    return [Content.assemble(" " * (indent + 2 * (at > 0)), part.rstrip()) for at, part in enumerate(wrapped)]


def _marked(line: str, other: str | None) -> Content:
    """The line, quiet where both sides say the same, with the words underlined that only this side has."""
    if line == other:
        return foreign(line, "$quiet")
    text = foreign(line, "bold")
    words, others = _WORDS.findall(line), _WORDS.findall(other or "")
    matcher = SequenceMatcher(None, words, others, autojunk=False)
    if matcher.ratio() < ALIKE:
        return text
    for tag, i1, i2, _, _ in matcher.get_opcodes():
        if tag in {"replace", "delete"}:
            start = len("".join(words[:i1]))
            text = text.stylize("underline $warning", start, start + len("".join(words[i1:i2])))
    return text
