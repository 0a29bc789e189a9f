"""A rollout's SQL run by psql and psycopg, step by step, as the engine renders it. No engine and no verdicts here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.support.database import Database
from wizard.engine.parts.guard import guards_of
from wizard.rollout.kind import StepKind
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Check, Rollout, Step, holds
from wizard.rollout.render import Group, Renderer, with_decisions

ROLLOUT = load_rollout()
SQL_STEPS = [step for step in ROLLOUT.steps if step.kind is StepKind.SQL]
SESSION = "SET LOCAL search_path = public, pg_temp; SET LOCAL row_security = off"

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


def facts_of(
    database: Database, rollout: Rollout = ROLLOUT, answers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The facts of a database, with the engine's two and the answers to decisions."""
    with session(database) as conn:
        found = rows(conn, rollout.read_sql(rollout.facts))[0] if rollout.facts else {}
        facts = {"schema": "public", "replica_role": "allowed", **found}
    return with_decisions(rollout, facts, answers or {})


def deploy(
    database: Database, facts: dict[str, str] | None = None, steps: Iterable[Step] = (), rollout: Rollout = ROLLOUT
) -> dict[str, str]:
    """Run steps (default: all) with psql, a transaction each; returns the facts they were rendered with."""
    facts = facts or facts_of(database, rollout)
    wanted = {step.id for step in steps} or set(rollout.order)
    rendered = [step for step in Renderer(rollout, facts).steps if step.step.id in wanted]
    database.psql("".join(transaction(group for part in step.parts for group in part.deploy) for step in rendered))
    return facts


def revert(database: Database, facts: dict[str, str], steps: Iterable[Step] = (), rollout: Rollout = ROLLOUT) -> None:
    """Roll steps (default: all) back with psql, newest first."""
    gone = {step.id for step in steps} or set(rollout.order)
    rendered = [step for step in reversed(Renderer(rollout, facts).steps) if step.step.id in gone]
    groups = [
        [group for part in step.parts for group in part.revert if group.subsumed_by not in gone] for step in rendered
    ]
    database.psql("".join(transaction(group) for group in groups))


def transaction(groups: Iterable[Group]) -> str:
    """One transaction for psql, with the settings that the engine gives it."""
    lines = ["BEGIN", SESSION]
    for group in groups:
        lines.append(f"SET LOCAL session_replication_role = {'replica' if group.hold_triggers else 'origin'}")
        lines += [statement.sql for statement in group.statements]
    return ";\n".join([*lines, "COMMIT;\n"])


@contextmanager
def session(database: Database, user: str = "postgres") -> Iterator[Connection]:
    """A transaction with the engine's settings; leaving it rolls everything back."""
    with psycopg.connect(database.conninfo(user), row_factory=dict_row) as conn, conn.transaction(force_rollback=True):
        conn.execute(SESSION.encode())
        yield conn


def rows(conn: Connection, text: str) -> list[Row]:
    """All rows of one query; undone again if it fails, so that the next one can run."""
    with conn.transaction():
        return conn.execute(text.encode()).fetchall()


def failing(conn: Connection, rollout: Rollout = ROLLOUT, facts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Each failing check that applies for `facts` by its id, with what it says; one that cannot run has failed."""
    return {
        check.id: words
        for step in rollout.steps
        for check in step.checks
        if holds(check.when, facts or {}) and (words := _verdict(conn, rollout, check))
    }


def _verdict(conn: Connection, rollout: Rollout, check: Check) -> str:
    try:
        found = rows(conn, rollout.read_sql(check.sql))
    except psycopg.Error as error:
        return f"error {error.sqlstate}"
    assert all(isinstance(value, str | None) for row in found for value in row.values()), f"{check.id}: not all text"
    wrong = [f"{row['subject']}: {row['found']}" for row in found if row["expected"] != row["found"]]
    return "; ".join(wrong) if found else "no rows"


def prerequisites(
    conn: Connection, rollout: Rollout = ROLLOUT, answers: Mapping[str, str] | None = None
) -> dict[str, list[Row]]:
    """The rows of every prerequisite that applies to the database and these answers, by its id."""
    facts = {"schema": "public", "replica_role": "allowed", **rows(conn, rollout.read_sql(rollout.facts))[0]}
    facts = with_decisions(rollout, facts, answers or {})
    declared = [q for step in rollout.steps for q in step.prerequisites if holds(q.when, facts)]
    return {q.id: rows(conn, rollout.read_sql(q.sql)) for q in declared}


def losses(database: Database, rollout: Rollout = ROLLOUT) -> dict[str, int]:
    """What each guard counts, by step id."""
    with session(database) as conn:
        return {step.id: len(rows(conn, guard.select)) for step in rollout.steps for guard in guards_of(step)}
