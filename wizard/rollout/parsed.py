"""The statements of a rollout's files: each text is parsed once, and all are before anything connects."""

from __future__ import annotations

from wizard.errors import RolloutInvalidError
from wizard.rollout.model import Rollout
from wizard.rollout.queries import select
from wizard.rollout.statements import SqlSyntaxError, Statement, split_sql


def parsed_statements(rollout: Rollout, path: str, text: str) -> tuple[Statement, ...]:
    """The statements of `text`, which is that of the file `path` below sql/, edited perhaps.

    Raises RolloutInvalidError if it is not valid SQL.
    """
    key = (path, text)
    if key not in rollout.statements:
        try:
            rollout.statements[key] = split_sql(text, path)
        except SqlSyntaxError as error:
            raise RolloutInvalidError(
                f"sql/{path}:{error.line}: not valid SQL: {error}", fix="Correct the statement on that line."
            ) from None
    return rollout.statements[key]


def parse_files(rollout: Rollout) -> None:
    """Parses every file that the rollout names. Raises RolloutInvalidError for the first that is broken.

    One that is edited before it is sent need not be valid without its edits.
    """
    if rollout.facts:
        select(rollout, rollout.facts)
    for step in rollout.steps:
        for query in (*step.prerequisites, *step.checks, *step.previews):
            select(rollout, query.sql)
        for fragment in (*step.deploy, *step.revert):
            if not fragment.edit:
                parsed_statements(rollout, fragment.sql, rollout.read_sql(fragment.sql))
