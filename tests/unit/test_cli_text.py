"""Foreign text on the terminal: no control character passes, no column is torn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wizard.console.crash import masked
from wizard.console.tables import columns, width_of
from wizard.text import file_name, one_line, shortened, visible


@given(st.text())
def test_nothing_that_steers_a_terminal_passes(text: str) -> None:
    steering = {*map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B])} - {"\n", "\t"}
    assert not set(visible(text)) & steering


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(max_size=400))
def test_a_file_name_is_one_component_of_a_path(text: str) -> None:
    name = file_name(text)
    assert 0 < len(name.encode()) <= 80
    assert not {"/", "\\", "\0"} & set(name)
    assert not name.startswith(".")


def test_escapes_are_shown_as_people_write_them() -> None:
    assert visible("a\x1b[31mb\x9b\u202e") == "a\\x1b[31mb\\x9b\\u202e"


@given(st.text(max_size=80), st.integers(min_value=3, max_value=40))
def test_shortened_keeps_to_its_width(text: str, width: int) -> None:
    assert len(shortened(text, width)) <= width


def test_columns_align_also_beside_wide_characters() -> None:
    lines = columns([("a", "bb", "c"), ("日本", "b", "[/x] $1")])

    assert lines == ["a     bb  c", "日本  b   [/x] $1"]
    assert width_of("日本") == 4


def test_passwords_are_masked_in_what_a_crash_report_holds() -> None:
    text = "postgresql://ada:geheim@host/db password=geheim PGPASSWORD: 'geheim' {'password': 'geheim'}"

    assert "geheim" not in masked(text)
    assert "postgresql://ada:****@host/db" in masked(text)
