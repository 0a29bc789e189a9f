"""Which rows a rollback would destroy, as one SELECT for each table: counted, archived, and what came later saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from wizard.db.copying import fixed_settings
from wizard.rollout.model import LossGuard, Step


@dataclass(frozen=True)
class Guard:
    """One table's rows that go with a part; recorded with the part, so that any version can archive them."""

    what: str
    """What is lost, after a number: "rows in experts"."""
    table: str
    key: tuple[str, ...]
    """Columns that identify a row; as recorded empty for whole rows, then the archive fills in the primary key. Where
    one of them is gone it is empty too: see `keyless`."""
    columns: tuple[str, ...]
    """Added columns whose values go; empty: the whole rows of a table that goes."""
    select: str
    """SELECT of the rows worth keeping: every column of a table that goes, else `key` and `columns`."""
    part_id: str = ""
    """Of the part that recorded it; empty before it is recorded."""
    ordinal: int = 0
    """Its number among the part's guards, from 1."""

    @property
    def place(self) -> tuple[str, int]:
        """What identifies it in the registry."""
        return self.part_id, self.ordinal

    @property
    def keyless(self) -> bool:
        """Its table lacks a column of the key: values can be counted, but nobody could tell whose they are."""
        return bool(self.columns) and not self.key


Makes = Callable[[str, str], bool]
"""Whether the part makes this table (table, ""), or this column (table, column)."""


def everything(table: str, column: str) -> bool:  # noqa: ARG001
    """The answer for a step that finds nothing of its own in the database."""
    return True


def guards_of(step: Step, makes: Makes = everything) -> tuple[Guard, ...]:
    """The step's guards for what it really makes: what was there before is never dropped, so it is not archived."""
    return tuple(_guards(step.loses, makes))


def _guards(declared: tuple[LossGuard, ...], makes: Makes) -> Iterator[Guard]:
    for loss in declared:
        columns = {name: condition for name, condition in loss.columns.items() if makes(loss.table, name)}
        if columns:
            condition = "\n    OR ".join(f"({one})" for one in columns.values())
            names = (*loss.key, *columns)
            yield Guard(loss.what, loss.table, loss.key, tuple(columns), select_of(loss.table, names, condition))
        elif not loss.columns and makes(loss.table, ""):
            yield Guard(loss.what, loss.table, (), (), select_of(loss.table, (), loss.rows))


def select_of(table: str, names: tuple[str, ...], condition: str) -> str:
    """A guard's SELECT; no names: all columns. The condition is the rollout's own SQL, not data.

    It ends with the condition in parentheses, so that `late_rows` can narrow it.
    """
    return (
        sql.SQL("SELECT {names}\nFROM {table}\nWHERE (\n{condition}\n)")
        .format(
            names=sql.SQL(", ").join(sql.Identifier(name) for name in names) if names else sql.SQL("*"),
            table=sql.Identifier(table),
            condition=sql.SQL(condition),
        )
        .as_string()
    )


def without_key(guard: Guard, gone: Sequence[str]) -> Guard:
    """The guard of a table whose key columns `gone` are not there: its SELECT finds NULL for them."""
    absent = sql.SQL(", ").join(sql.SQL("NULL AS {}").format(sql.Identifier(name)) for name in gone)
    select = (
        sql.SQL("WITH {table} AS (SELECT *, {absent} FROM {table})\n{select}")
        .format(table=sql.Identifier(guard.table), absent=absent, select=sql.SQL(guard.select))
        .as_string()
    )
    return replace(guard, key=(), select=select)


def counting(select: str) -> str:
    """SELECT of one row with the number of rows that `select` selects, as column `number`."""
    return sql.SQL("SELECT count(*) AS number FROM ({}\n) AS lost_row").format(sql.SQL(select)).as_string()


def counting_texts(select: str) -> str:
    """The same, but every value is read and written out as it is when its row is saved."""
    text = "SELECT count((lost_row.*)::text) AS number FROM ({}\n) AS lost_row"
    return sql.SQL(text).format(sql.SQL(select)).as_string()


@dataclass(frozen=True)
class Saving:
    """How the part that destroys rows saves those which its archive does not hold."""

    archive_id: str
    horizons: tuple[tuple[tuple[str, int], str], ...]
    """Guard's place -> oldest transaction that was still running when its rows were archived."""
    budget_ms: int
    """How long the application may wait for it, for each table."""
    captured: tuple[tuple[tuple[str, int], str], ...] = ()
    """Guard's place -> the statement that saves what triggers noted of it, instead of looking through its table."""

    def horizon(self, guard: Guard) -> str:
        """The horizon of one guard's archived rows."""
        return dict(self.horizons)[guard.place]


def late_rows(guard: Guard, horizon: str) -> str:
    """The guard's SELECT, narrowed to row versions that the archive may not hold. Run it inside a transaction.

    A version is left out only if the transaction that wrote it is older than every transaction that was running when
    the archive's snapshot was taken: that one was over by then, and so the snapshot saw the version. This holds for
    subtransactions too, whose ids are above their parent's, while pg_visible_in_snapshot() knows none of them. So a
    version may be saved twice, never missed. xmin has 32 bits; compared by its distance from the newest id it is exact
    for everything written in the last four billion transactions, and what is older can only be saved needlessly.

    Without a key nobody could tell which archived row a late one replaces; then all are late.
    """
    if not guard.key:
        return guard.select
    newest = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    return guard.select + (
        sql.SQL(" AND mod({newest} - xmin::text::bigint + 4294967296, 4294967296) <= {newest} - {horizon}::bigint")
        .format(newest=sql.SQL(newest), horizon=horizon)
        .as_string()
    )


def locking(guard: Guard, schema: str) -> str:
    """Locks the table, so that nobody can change a row between saving and dropping. What is gone needs no lock."""
    return (
        sql.SQL(
            "DO $rag_wizard$\nBEGIN\n"
            "    IF to_regclass({name}) IS NOT NULL THEN\n"
            "        LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n"
            "    END IF;\nEND\n$rag_wizard$"
        )
        .format(
            name=_name(guard, schema),
            table=sql.Identifier(schema, guard.table),
        )
        .as_string()
    )


TOO_SLOW = "saving what changed since the archive took longer than the application may wait"
"""How the server's message begins when `saving` ran out of its time."""
OUT_OF_TIME = "RW004"
"""Its code. Not one of a lock: coming again would hold the application up for as long, each time."""


_BEGAN = "rag_wizard.limit_began"
"""The setting that tells a `limited` block when its time began, in seconds since 1970."""


def limiting(budget_ms: int) -> str:
    """Goes before a `limited` block.

    The server counts from before a block's first line runs, so a block that looked at the clock itself would find that
    its time was not quite over when the server ended it for that, and take it for somebody's cancelling.
    """
    return (
        sql.SQL(
            "SELECT set_config({began}, extract(epoch FROM clock_timestamp())::text, true),"
            " set_config('statement_timeout', {budget}, true)"
        )
        .format(began=_BEGAN, budget=f"{budget_ms}ms")
        .as_string()
    )


def limited(body: sql.Composable, table: str, budget_ms: int) -> str:
    """A block with the time limit of `limiting`; `body` is its declarations and statements.

    If the limit ends it, the error says so. If somebody cancelled it, the error is the server's.
    """
    return (
        sql.SQL(
            "DO $rag_wizard$\nDECLARE\n{body}"
            "EXCEPTION WHEN query_canceled THEN\n"
            "    IF extract(epoch FROM clock_timestamp()) - current_setting({began})::numeric < {seconds} THEN\n"
            "        RAISE;\n    END IF;\n"
            "    RAISE EXCEPTION '{too_slow}: %, %', {table}, {budget} USING ERRCODE = {code};\n"
            "END\n$rag_wizard$"
        )
        .format(
            body=body,
            began=_BEGAN,
            seconds=sql.Literal(budget_ms / 1000),
            budget=f"{budget_ms}ms",
            too_slow=sql.SQL(TOO_SLOW),
            table=table,
            code=OUT_OF_TIME,
        )
        .as_string()
    )


def saving(guard: Guard, how: Saving, schema: str) -> str:
    """Writes the late rows into the registry, in the transaction that destroys them and under its lock.

    So they are durable with the very commit that drops the table: writing them to a file here would hold the lock for
    the network and the disk, and a file that is complete while the commit's outcome is unknown proves nothing.
    Every value is kept as the server's own text of it.
    """
    if guard.keyless:
        return _refusing(guard, how, schema)
    wanted = [*guard.key, *guard.columns] if guard.columns else []
    body = sql.SQL(
        "    names text;\n    came bigint;\n    there bigint;\nBEGIN\n"
        "    IF to_regclass({name}) IS NULL THEN RETURN; END IF;\n"
        "    names := (SELECT string_agg(format('%1$I::text AS %1$I', attname), ', ' ORDER BY attnum)\n"
        "        FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({name}) AND attnum > 0\n"
        "            AND NOT attisdropped AND ({wanted}::text[] = '{{}}' OR attname = ANY ({wanted}::text[])));\n"
        "    IF names IS NULL THEN RETURN; END IF;\n"
        # What was captured before the triggers were touched is among them, newer.
        "    DELETE FROM rag_wizard.late_row\n"
        "    WHERE archive_id = {archive} AND part_id = {part} AND ordinal = {ordinal};\n"
        "    EXECUTE 'INSERT INTO rag_wizard.late_row (archive_id, part_id, ordinal, row)\n"
        "        SELECT ' || {place} || ', row_to_json(kept.*) FROM (SELECT ' || names || '\n"
        "        FROM (' || {late} || ') AS lost_row) AS kept';\n"
        "    GET DIAGNOSTICS came = ROW_COUNT;\n"
        "    EXECUTE {count} INTO there;\n"
        "    UPDATE rag_wizard.archive_file SET late = came, present = there, captured = false,\n"
        "        saved_at = clock_timestamp()\n"
        "    WHERE archive_id = {archive} AND part_id = {part} AND ordinal = {ordinal};\n"
    ).format(
        name=_name(guard, schema),
        wanted=sql.Literal(wanted),
        place=sql.Literal(
            sql.SQL("{}, {}, {}").format(how.archive_id, guard.part_id, sql.Literal(guard.ordinal)).as_string()
        ),
        late=sql.Literal(late_rows(guard, how.horizon(guard)) + "\n"),
        count=sql.Literal(counting(guard.select)),
        archive=how.archive_id,
        part=guard.part_id,
        ordinal=sql.Literal(guard.ordinal),
    )
    return limited(body, guard.table, how.budget_ms)


def _refusing(guard: Guard, how: Saving, schema: str) -> str:
    """There was no value that could be lost when the archive was made; one that came since cannot be saved either."""
    body = sql.SQL(
        "    there bigint;\nBEGIN\n"
        "    IF to_regclass({name}) IS NULL THEN RETURN; END IF;\n"
        "    EXECUTE {count} INTO there;\n"
        "    IF there > 0 THEN\n"
        "        RAISE EXCEPTION 'values came into % that cannot be archived: its key is gone', {table}\n"
        "            USING ERRCODE = 'RW003', HINT = 'Roll back again: that tells what to do.';\n    END IF;\n"
    ).format(name=_name(guard, schema), count=sql.Literal(counting(guard.select)), table=guard.table)
    return limited(body, guard.table, how.budget_ms)


def _name(guard: Guard, schema: str) -> sql.Literal:
    """For to_regclass()."""
    return sql.Literal(sql.Identifier(schema, guard.table).as_string())


def saving_lines(guards: tuple[Guard, ...], how: Saving, schema: str, *, limit: str) -> Iterator[str]:
    """The statements that go before those which destroy the guards' rows; `limit` is the statement timeout after."""
    if guards:
        yield fixed_settings()
    for guard in guards:
        yield locking(guard, schema)
        yield limiting(how.budget_ms)
        yield dict(how.captured).get(guard.place) or saving(guard, how, schema)
        yield sql.SQL("SET LOCAL statement_timeout = {}").format(limit).as_string()
