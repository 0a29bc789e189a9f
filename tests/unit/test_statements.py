"""Splitting SQL with PostgreSQL's parser: text, kind and place of each statement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.rollout.load import load_rollout
from wizard.rollout.statements import SqlSyntaxError, split_sql


def test_comments_before_a_statement_are_no_part_of_it_but_lines_count() -> None:
    text = "-- one\nCREATE TABLE a (id int); -- two\n/* three /* nested */ */ SELECT 1;\n\n-- é\nSELECT ';'\n"

    found = split_sql(text, "f.sql")

    assert [(s.sql, s.kind, s.line) for s in found] == [
        ("CREATE TABLE a (id int)", "create_stmt", 2),
        ("SELECT 1", "select_stmt", 3),
        ("SELECT ';'", "select_stmt", 6),
    ]


def test_dollar_quotes_hold_semicolons() -> None:
    (found,) = split_sql("DO $x$ BEGIN PERFORM 1; END $x$;")
    assert found.sql == "DO $x$ BEGIN PERFORM 1; END $x$"


def test_what_is_no_sql_is_named_with_its_line() -> None:
    with pytest.raises(SqlSyntaxError, match="selct") as error:
        split_sql("SELECT 1;\n\nselct 2;")
    assert error.value.line == 3


@pytest.mark.parametrize(("sql", "changes"), [("INSERT INTO a VALUES (1)", True), ("SELECT 1", False)])
def test_only_data_changes_count_rows(sql: str, changes: bool) -> None:
    assert split_sql(sql)[0].changes_data is changes


@given(st.lists(st.sampled_from(["SELECT 1", "SELECT '--'", "SELECT $$;$$", 'SELECT "a;b" FROM t']), min_size=1))
def test_joining_and_splitting_returns_the_statements(statements: list[str]) -> None:
    assert [found.sql for found in split_sql(";\n-- x\n".join(statements))] == statements


def test_every_statement_of_the_builtin_rollout_stands_where_it_says() -> None:
    rollout = load_rollout()
    for step in rollout.steps:
        for fragment in (*step.deploy, *step.revert):
            text = rollout.read_sql(fragment.sql)
            for statement in split_sql(text, fragment.sql):
                assert text.splitlines()[statement.line - 1].lstrip().startswith(statement.sql.splitlines()[0])
