"""The databases a rollout may meet: what makes each, and the end that belongs to it. No assertions live here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from psycopg import sql

from tests.support.cluster import DEFAULT_ROWS
from tests.support.database import Database, Snapshot
from tests.support.engine import Operator
from tests.support.guide import GUIDE, guide_step
from wizard.rollout.statements import split_sql

TABLES = ("domains", "experts", "rag_documents", "vector_stores", "assistants", "clone_rag_mapping")
"""The six tables of the rollout."""

ADDED = frozenset(
    {"rag_enabled", "rag_initialization_status", "rag_expert_name", "rag_domain_mapping", "rag_config"}
    | {"rag_processing_status", "rag_document_id", "openai_file_id", "rag_error_message"}
)
"""The nine columns that it adds to clones and knowledge."""

FILLED = frozenset(
    {"rag_enabled", "rag_initialization_status", "rag_config", "rag_processing_status", "rag_domain_mapping"}
)
"""Those in which 6.1 and 6.2 fill the NULLs, also where the column was there before."""


class End(Enum):
    """How a run on a database has to end."""

    ROUND_TRIP = "verified, and rolled back to exactly the start"
    PREREQUISITES = "exit 3, nothing changed"
    CONFLICT = "exit 7, nothing changed"


@dataclass(frozen=True)
class Start:
    """One starting database."""

    name: str
    end: End = End.ROUND_TRIP
    variants: tuple[str, ...] = ()
    """Names of tests/support/variants/, applied in order."""
    pasted: tuple[str, ...] = ()
    """Statements that the operator ran in psql before, each in a transaction of its own; one that failed is left."""
    rows: int = DEFAULT_ROWS
    schema: str = "public"
    named: str = ""
    """What the words of a refusal have to name."""
    decisions: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def make(self, make_database: Callable[..., Database]) -> Database:
        """A fresh database of this kind, made by the fixture `make_database` or by Cluster.make_database."""
        database = make_database(*self.variants, rows=self.rows)
        paste(database, self.pasted, self.schema)
        return database

    def operator(self, database: Database) -> Operator:
        """An operator who rolls out to this database's schema."""
        return Operator(database, schema=self.schema, decisions=self.decisions)


def paste(database: Database, statements: Iterable[str], schema: str = "public") -> None:
    """Run statements with psql one by one, going on after an error, as an operator who pastes them would."""
    text = ";\n".join([sql.SQL("set search_path to {}").format(sql.Identifier(schema)).as_string(), *statements, ""])
    database.psql(text, options=("-v", "ON_ERROR_STOP=0"))


def guide_statements(step: str | None = None) -> tuple[str, ...]:
    """The guide's statements, all 58 or those of one step, in its order."""
    text = GUIDE.read_text(encoding="utf-8") if step is None else guide_step(step)
    return tuple(statement.sql for statement in split_sql(text))


def lasting(database: Database, schema: str = "public") -> Snapshot:
    """What two undisturbed runs have in common: no generated ids and times of the six tables, no registry's rows."""
    own = {f"{schema}.{table}.{column}" for table in TABLES for column in ("id", "created_at", "updated_at")}
    digest = database.digest(own)
    return Snapshot(
        database.dump(rooms=False), {name: rows for name, rows in digest.items() if not name.startswith("rag_wizard.")}
    )


def untouchable(database: Database, schema: str, columns: frozenset[str]) -> dict[str, str]:
    """Digests of all rows outside the six tables and the registry, without `columns`: what no run may change."""
    ours = {f"{schema}.{table}" for table in TABLES}
    return {
        name: rows
        for name, rows in database.digest(columns).items()
        if name not in ours and not name.startswith("rag_wizard.")
    }


def free_to_change(database: Database, schema: str) -> frozenset[str]:
    """Of the nine columns those that clones and knowledge do not have yet, and those that a backfill may fill."""
    there = database.query(
        "select attname::text from pg_attribute join pg_class on pg_class.oid = attrelid"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname = %s and relname in ('clones', 'knowledge')",
        [schema],
    )
    return (ADDED - {name for (name,) in there}) | FILLED


def _pasted(name: str, *statements: str, end: End = End.ROUND_TRIP, named: str = "", old_grants: bool = False) -> Start:
    return Start(name, end, ("old_grants",) if old_grants else (), statements, named=named)


def _conflict(name: str, variant: str, named: str) -> Start:
    return Start(name, End.CONFLICT, (variant,), named=named)


_ALL = guide_statements()
_REPLACE = {"shared_function": "replace"}

HALF_PASTED = _pasted("first half of the guide", *_ALL[: len(_ALL) // 2])

ROUND_TRIPS = (
    Start("clean"),
    Start("clean, old grants", variants=("old_grants",)),
    Start("empty", rows=0),
    Start("creator_id is a uuid", variants=("creator_id_uuid",)),
    Start("creator_id is a varchar", variants=("creator_id_varchar",)),
    Start("category is an enum", variants=("category_enum",)),
    Start("no shared function", variants=("no_shared_function",)),
    Start("another shared function, used by three tables", variants=("other_shared_function",)),
    Start("another shared function, replaced", variants=("other_shared_function",), decisions=_REPLACE),
    Start("a shared function that breaks updates, replaced", variants=("hostile_shared_function",), decisions=_REPLACE),
    Start("columns there before, with data", variants=("columns_before",)),
    Start("columns there before, some rows unset", variants=("unset_columns_before",)),
    Start("views on clones", variants=("views_on_clones",)),
    Start("generated columns", variants=("generated_columns",)),
    Start("quoted names", variants=("quoted_names",)),
    Start("schema with quotes", variants=("other_schema",), schema='Clone "AI"'),
    Start("half pasted into a schema with quotes", variants=("other_schema",), pasted=_ALL[:25], schema='Clone "AI"'),
    Start("FORCE RLS on clones", variants=("force_rls",)),
    Start("partitioned clones", variants=("partitioned_clones",)),
    Start("partitioned clones, half pasted", variants=("partitioned_clones",), pasted=_ALL[:25]),
    HALF_PASTED,
    _pasted("first half of the guide, old grants", *_ALL[: len(_ALL) // 2], old_grants=True),
    _pasted("every second statement of the guide", *_ALL[::2]),
    _pasted("the guide without its policies", *(text for text in _ALL if not text.startswith("CREATE POLICY"))),
    _pasted("all of the guide", *_ALL),
    _pasted("all of the guide, old grants", *_ALL, old_grants=True),
    _pasted("half of 1.1: the table alone", *guide_statements("1.1")[:1]),
    _pasted("half of 2.1: the columns without an index", *guide_statements("2.1")[:1]),
    _pasted("half of 2.1: one column of five", "alter table clones add column rag_config jsonb default '{}'"),
    _pasted("half of 6.2: the function alone", *guide_statements("6.2")[:1]),
    _pasted("four of the eight domains", *guide_statements("1.1"), "delete from domains where domain_name > 'g'"),
    _pasted(
        "tables that the application already writes to",
        *_ALL[: len(_ALL) // 2],
        "update domains set expert_names = '{Ada}' where domain_name = 'other'",
        "insert into domains (domain_name) values ('gardening')",
        "insert into experts (name, domain, context, clone_id) select name, 'gardening', '', id from clones limit 9",
        "insert into rag_documents (name, document_link, domain) values ('a', 'b', 'other')",
        "update clones set rag_enabled = true, rag_expert_name = 'Ada' where id in (select clone_id from experts)",
        "update knowledge set rag_processing_status = 'completed', rag_document_id = (select id from rag_documents)"
        " where clone_id in (select clone_id from experts)",
    ),
)

UNMET = (
    Start("clones.id is a bigint", End.PREREQUISITES, ("bigint_ids",), named="clones.id is bigint"),
    Start("clones partitioned by time", End.PREREQUISITES, ("partitioned_by_time",), named="clones.id is uuid without"),
    Start("a shared function that breaks updates", End.PREREQUISITES, ("hostile_shared_function",), named="version"),
    Start("clones of another owner", End.PREREQUISITES, ("foreign_owner",), named="app_owner"),
    Start("no schema auth", End.PREREQUISITES, ("missing_auth",), named="auth.uid()"),
)

CONFLICTS = (
    _conflict("rag_enabled of another type", "other_column_type", "rag_enabled"),
    _conflict("another table called domains", "other_domains_table", "domains"),
    _conflict("another index of our name", "other_index", "idx_clones_rag_status"),
    _conflict("another mapping function", "other_mapping_function", "map_clone_category_to_domain"),
    _pasted("a view called experts", "create view experts as select 1 as id", end=End.CONFLICT, named="experts"),
    _pasted(
        "a policy of our name that lets everybody read",
        *guide_statements("1.1"),
        'create policy "Allow read access to domains for authenticated users" on domains for select using (true)',
        end=End.CONFLICT,
        named="Allow read access to domains for authenticated users",
    ),
    _pasted(
        "a trigger of our name after the update",
        *guide_statements("1.1")[:2],
        "create trigger update_domains_updated_at after update on domains"
        " for each row execute function update_updated_at_column()",
        end=End.CONFLICT,
        named="update_domains_updated_at",
    ),
    _pasted(
        "a default of another value",
        "alter table knowledge add column rag_processing_status text default 'skipped'",
        end=End.CONFLICT,
        named="rag_processing_status",
    ),
    _pasted(
        "a check of our name that allows less",
        "alter table clones add column rag_initialization_status text default 'pending'",
        "alter table clones add constraint clones_rag_initialization_status_check"
        " check (rag_initialization_status in ('pending', 'ready'))",
        end=End.CONFLICT,
        named="clones_rag_initialization_status_check",
    ),
    _pasted(
        "a foreign key of our name without its cascade",
        *guide_statements("1.1"),
        *guide_statements("1.2"),
        "alter table experts drop constraint fk_domain",
        "alter table experts add constraint fk_domain foreign key (domain) references domains (domain_name)",
        end=End.CONFLICT,
        named="fk_domain",
    ),
)
