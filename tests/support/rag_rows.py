"""Rows of an application in everything that phase 1 makes, for tests of archive and restore."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import dict_row

from tests.support.database import Database
from tests.support.engine import Operator

TABLES = ("domains", "experts", "rag_documents", "vector_stores", "assistants", "clone_rag_mapping")
VALUES = {
    "clones": ("rag_enabled", "rag_initialization_status", "rag_expert_name", "rag_domain_mapping", "rag_config"),
    "knowledge": ("rag_processing_status", "rag_document_id", "openai_file_id", "rag_error_message"),
}
SEEDS = (
    "health-wellness", "business-strategy", "education-learning", "finance-investment", "life-coaching",
    "legal-consulting", "ai-technology",
)  # fmt: skip
"""Default domains that nobody edits: a new run makes them anew."""

ROWS = r"""
update domains set expert_names = '{Ada,"Grace \\ Hopper"}' where domain_name = 'other';
insert into domains (domain_name, created_at, updated_at) values ('astrology', '2020-01-01', '2021-02-03 04:05:06.789');
insert into experts (name, domain, context, clone_id)
    select 'Ada' || i, 'other', E'tab\tnew\nline \\ "quote" \u00e4', id
    from (select id, row_number() over (order by id) as i from clones) as c where i <= 5;
insert into experts (name, domain, context) values ('no clone', 'astrology', '');
insert into rag_documents (name, document_link, domain, clone_id, file_size_bytes)
    select 'doc', 'https://example.org/a?b=c&d', 'other', clone_id, 9007199254740993
    from experts where clone_id is not null;
insert into vector_stores (vector_id, domain_name, file_ids)
    values ('v1', 'other', '{a,NULL,"b,c"}'), ('v2', 'astrology', null);
insert into assistants (assistant_id, domain_name, expert_name, vector_store_id, configuration) values
    ('a1', 'other', 'Ada1', 'v1', '{"x": [1, null, "\u00e4"], "y": 1.10}'), ('a2', 'astrology', 'Ada', null, 'null');
insert into clone_rag_mapping (clone_id, expert_name, domain_name, assistant_id, vector_store_id)
    select clone_id, name, 'other', 'a1', 'v1' from experts where clone_id is not null;
update clones set rag_enabled = true, rag_config = '{"k": null}', rag_expert_name = 'Ada'
    where id in (select clone_id from experts);
update clones set rag_domain_mapping = 'mine' where id = (select max(clone_id::text)::uuid from experts);
update knowledge set rag_document_id = d.id, rag_processing_status = 'completed', openai_file_id = 'file-1'
    from rag_documents as d where d.clone_id = knowledge.clone_id;
"""

Rows = dict[str, dict[Any, dict[str, Any]]]
"""Table -> key -> row."""


def write_rows(database: Database) -> None:
    """What an application would have written by now."""
    database.execute(ROWS)


def read_rows(database: Database) -> Rows:
    """Every row of the six tables, and the added values of every clone and piece of knowledge, as text."""
    with psycopg.connect(database.conninfo(), row_factory=dict_row, autocommit=True) as conn:
        found: Rows = {}
        for table in TABLES:
            rows = conn.execute(f"select id, t::text as row from {table} as t").fetchall()
            found[table] = {row["id"]: row for row in rows}
        for table, columns in VALUES.items():
            rows = conn.execute(f"select id, {', '.join(columns)} from {table}").fetchall()
            found[table] = {row["id"]: row for row in rows}
        seeds = conn.execute("select id from domains where domain_name = any (%s)", [list(SEEDS)])
        for row in seeds.fetchall():
            del found["domains"][row["id"]]
    return found


_WORK = (
    "insert into vector_stores (vector_id, domain_name) values ({n}::text, 'other')",
    "update vector_stores set status = 'inactive', file_ids = array[{n}::text] where vector_id = ({n} - 7)::text",
    "insert into experts (name, domain, context) values ('app' || {n}, 'other', '')",
    "update experts set context = {n}::text where name = 'app' || ({n} - 7)",
    "insert into domains (domain_name) values ('app' || {n})",
    "update clones set rag_config = jsonb_build_object('n', {n}), updated_at = now()"
    " where id = (select id from clones order by md5(id::text || {n}) limit 1)",
    "update knowledge set rag_error_message = {n}::text"
    " where id = (select id from knowledge order by md5(id::text || {n}) limit 1)",
    "insert into assistants (assistant_id, domain_name, expert_name) values ('app' || {n}, 'other', 'x')",
    "update assistants set configuration = '{{\"n\": {n}}}' where assistant_id = 'app' || ({n} - 7)",
)
DELETE = "delete from vector_stores where vector_id = ({n} - 30)::text"


class Application:
    """Writes without a pause, on a connection of its own, until everything it writes to is gone; a context manager.

    `written` then holds, for each table and key, the row as it was last written and committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = threading.Thread(target=self._run, name="application")
        self.written: Rows = {table: {} for table in (*TABLES, *VALUES)}
        self.deleted: set[Any] = set()
        self.rounds = 0
        self.busy = threading.Event()
        """Set once every statement was executed."""
        self._over = threading.Event()
        self.problems: list[Exception] = []

    def __enter__(self) -> Application:
        self._thread.start()
        assert self.busy.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        left = [*_WORK, DELETE]
        with psycopg.connect(self._database.conninfo(), row_factory=dict_row, autocommit=True) as conn:
            number = 0
            while left and not self._over.is_set():
                number += 1
                for work in tuple(left):
                    try:
                        self._write(conn, work.format(n=number))
                    except (errors.UndefinedTable, errors.UndefinedColumn):
                        left.remove(work)
                    except Exception as error:  # the test fails with it
                        self.problems.append(error)
                        return
                self.rounds = number
                if number > 40:
                    self.busy.set()

    def _write(self, conn: psycopg.Connection[dict[str, Any]], work: str) -> None:
        table = next(word for word in work.split() if word in self.written)
        columns = VALUES.get(table)
        returned = ", ".join(("id", *columns)) if columns else f"id, {table}::text as row"
        for row in conn.execute(f"{work} returning {returned}".encode()).fetchall():
            if work.startswith("delete"):
                self.deleted.add(row["id"])
            else:
                self.written[table][row["id"]] = row

    def over(self, before: Rows) -> Rows:
        """`before` with everything that was written since, without what was deleted."""
        return {
            table: {
                key: row for key, row in {**rows, **self.written[table]}.items() if key not in self.deleted
            }
            for table, rows in before.items()
        }  # fmt: skip


def archived(database: Database, archives: Path, last: str | None = None, *statements: str) -> Operator:
    """An operator who has run, rolled back and run again; `statements` were executed in between."""
    operator = Operator(database, archives=archives)
    operator.engine.run(last=last)
    for statement in statements:
        database.execute(statement)
    operator.engine.rollback()
    operator.engine.run(last=last)
    return operator
