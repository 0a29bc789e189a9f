"""Foreign text, and the words of the State line and the log, without a screen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from textual.content import Content

from wizard.ui.log import LogLine
from wizard.ui.pages.sentence import styled
from wizard.ui.text import as_markup, clip, cut, fields, foreign, one_line, pad, spread
from wizard.ui.widgets.logpane import line_of

HOSTILE = "[/regex] $1 [0-9]"


@pytest.mark.parametrize("text", [HOSTILE, "[red]x[/]", "$primary", "[@click=app.quit]x[/]"])
def test_markup_in_foreign_text_is_text(text: str) -> None:
    assert foreign(text).plain == text
    assert not foreign(text).spans
    assert Content.from_markup(as_markup(text)).plain == text


@pytest.mark.parametrize("text", ["\x1b[31m", "\x07", "\u202e", "\x9b31m", "\x00"])
def test_control_characters_are_made_visible(text: str) -> None:
    for shown in (foreign(f"a{text}b").plain, one_line(f"a{text}b"), clip(f"a{text}b", 40)):
        assert text not in shown
        assert shown.startswith("a\\")
        assert shown.isprintable()


def test_lines_of_sql_stay_lines_and_names_become_one() -> None:
    assert foreign("a\n  b").plain == "a\n  b"
    assert one_line("a\n  b\t c") == "a b c"


@pytest.mark.parametrize("width", range(1, 12))
def test_clipped_and_padded_text_fits_also_in_wide_characters(width: int) -> None:
    for text in ("abcdefghijklmnop", "日本語日本語日本語"):
        assert Content(clip(text, width)).cell_length <= width
        assert Content(cut(text, width)).cell_length <= width
        assert Content(pad(text, width)).cell_length == width


def test_the_right_end_of_a_line_is_kept() -> None:
    line = spread(Content("a very long sentence"), Content("PRODUCTION"), 20)
    assert line.cell_length == 20
    assert line.plain.endswith(" PRODUCTION")


def test_fields_hang_below_their_label() -> None:
    lines = [line.plain.rstrip() for line in fields([("Why", "one two three four"), ("If it fails", "x")], 20, 10)]
    assert lines == ["Why       one two", "          three four", "If it     x", "fails"]


def test_the_state_lines_capitals_are_styled_and_its_words_kept() -> None:
    line = styled("FAILED 2.2 (23503). Steps 0 to 2.1 are committed [b]")
    assert line.plain == "FAILED 2.2 (23503). Steps 0 to 2.1 are committed [b]"
    assert [(span.start, span.end, str(span.style)) for span in line.spans] == [(0, 6, "bold $error")]


@pytest.mark.parametrize(("narrow", "width"), [(True, 78), (False, 116)])
def test_a_log_line_fits_its_line_whatever_it_says(narrow: bool, width: int) -> None:
    at = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
    line = line_of(LogLine(at, "2.1.1", "committed", HOSTILE * 20, "0.02 s  xid 8812"), width, narrow=narrow)
    assert line.cell_length == width
    assert line.plain.startswith("14:02:11  2.1.1")
    assert line.plain.endswith("  0.02 s  xid 8812")
