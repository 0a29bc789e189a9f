"""Verifying a database that somebody has changed: copies to change, and what verify says. No assertions here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from psycopg import sql

from tests.support.cluster import Cluster
from tests.support.database import Database
from wizard.demo.server import SUPERUSER
from wizard.engine.views import Verification

Difference = tuple[str, str | None, str | None]
"""Subject, expected, found."""
_numbers = count(1)


@contextmanager
def changed_copy(cluster: Cluster, source: Database, change: str = "", schema: str = "public") -> Iterator[Database]:
    """A copy of a database to which nobody is connected, with SQL run on it by the superuser; dropped at the end."""
    copy = Database(cluster.server, f"{source.name}_{next(_numbers)}")
    cluster.admin.execute(
        sql.SQL("create database {} template {} owner postgres").format(
            sql.Identifier(copy.name), sql.Identifier(source.name)
        ),
        user=SUPERUSER,
    )
    try:
        path = sql.SQL("set search_path to {}").format(sql.Identifier(schema)).as_string()
        copy.execute(f"{path}; {change}", user=SUPERUSER)
        yield copy
    finally:
        cluster.drop(copy)


def differences(verification: Verification) -> dict[str, list[Difference]]:
    """The rows that did not pass, by check. One that could not run has a row with its error in the place of found."""
    return {
        check.id: [("error", None, check.error)]
        if check.error
        else [(row.subject, row.expected, row.found) for row in check.rows if not row.passed]
        for check in verification.checks
        if not check.passed
    }
