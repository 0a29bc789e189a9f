"""Literals of composed parts are those of psycopg, to the letter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from wizard.engine.parts.literal import filled, literal

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"))),
)


@given(VALUES)
def test_a_literal_is_what_psycopg_makes_of_it(value: object) -> None:
    assert literal(value) == sql.Literal(value).as_string()


@given(VALUES, st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_a_filled_template_is_what_psycopg_makes_of_it(value: object, name: str) -> None:
    template = sql.SQL("SELECT {} FROM {table} WHERE x = '{{}}'")
    identifier = sql.Identifier(name or "x")

    expected = template.format(sql.Literal(value), table=identifier).as_string()

    assert filled(template, value, table=identifier) == expected
