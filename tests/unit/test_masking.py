"""Statements of others are shown without their values, also where the server cut them off or a quote is in doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.engine.session.masking import masked


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("SELECT * FROM clones WHERE id = 'x' FOR UPDATE", "SELECT * FROM clones WHERE id = $1 FOR UPDATE"),
        ("SELECT $1, 'a', $3, 4.5e-3", "SELECT $1, $4, $3, $5"),
        ("SELECT 'it''s', E'a\\'b', U&'x', N'y', X'1F', B'01'", "SELECT $1, $2, $3, $4, $5, $6"),
        ("DO $$ BEGIN END $$; SELECT $t$ it's $$ $t$, 1", "DO $1; SELECT $2, $3"),
        ('SELECT t1.c2, "it\'s 1", 0xFF, .5, -17', 'SELECT t1.c2, "it\'s 1", $1, $2, -$3'),
        ("SELECT 1 -- password 'x'\n, 2 /* a /* 3 */ 'b' */ , 3", "SELECT $1 \n, $2  , $3"),
        ("ALTER ROLE app PASSWORD 'sec", "ALTER ROLE app PASSWORD $1..."),
        ("SELECT $tag$ cut off", "SELECT $1..."),
        ("SELECT /* cut off", "SELECT ..."),
        # Where standard_conforming_strings is off, the first string goes on behind its second quote.
        ("SELECT 'a\\' , 'secret'", "SELECT $1..."),
        ("", ""),
    ],
)
def test_only_the_values_are_hidden(sent: str, shown: str) -> None:
    assert masked(sent) == shown


@given(st.text(alphabet="abX'\\", max_size=12), st.text(alphabet=" '\\\n$\"eE-/*ab1", max_size=40), st.integers(0, 60))
def test_no_value_is_ever_seen_whatever_stands_around_it_and_wherever_it_is_cut(
    value: str, around: str, cut: int
) -> None:
    quoted = "'" + ("SECRET" + value).replace("'", "''") + "'"
    text = f"SELECT {quoted}, {around}"
    assert "SECRET" not in masked(text[: max(cut, 8)])
