"""The SQL of triggers that note which rows of a large table change during a rollback. Nothing is sent from here.

The part that drops columns has to save what the application changed since the archive. To look for it would read the
whole table under the strongest lock; with the keys at hand it is a few look-ups. So before the archive's snapshot two
triggers are made, which write the key of every row that comes, goes, or changes in one of those columns or in one that
decides whether their values are worth keeping, into rag_wizard.captured, in the application's own transaction. CREATE
TRIGGER waits for all writers, so whatever they did not see is over before the snapshot is taken:
https://www.postgresql.org/docs/current/explicit-locking.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.copying import FIXED
from wizard.db.queries import query
from wizard.engine.keeping.naming import columns_named
from wizard.engine.parts.guard import Guard, limited, select_of
from wizard.engine.session.registry import has_room
from wizard.rollout.statements import Statement

CAPTURE = "capture"
"""The step that making and taking away triggers is recorded under: it is none of the rollout's. Its parts have the
direction `revert`, so that none ever stands."""
LARGE_ROWS = 10_000
LARGE_BYTES = 10 * 1024 * 1024
"""A table above either is captured. Below, looking through it under the lock takes milliseconds."""
MOST_LEFT = 20_000
"""With more captured rows left the dropping part lets go of its lock at once: they are moved without it first."""

Place = tuple[str, int]
"""Part id and ordinal: what identifies a guard in the registry."""


@dataclass(frozen=True)
class Capture:
    """One guard's triggers. Everything follows from the guard, so that what a plan shows is what is sent."""

    guard: Guard
    schema: str
    watched: tuple[str, ...]
    """Columns whose change is noted; empty: that of any. Not always of any, for an application may change others often,
    and each note is a row more that it writes."""
    key_types: tuple[str, ...]
    plain_key: bool
    """The text of a key does not depend on the session's settings."""

    @property
    def name(self) -> str:
        """Of the function."""
        return f"capture_{self.guard.part_id.replace('-', '')[:12]}_{self.guard.ordinal}"

    @property
    def title(self) -> str:
        """What making them is, after "to"."""
        return f"note which rows of {self.guard.table} change until its columns go"

    def making(self) -> Iterator[Statement]:
        """Makes function and triggers. Needs SHARE ROW EXCLUSIVE on the table for a moment."""
        function, table = sql.Identifier("rag_wizard", self.name), sql.Identifier(self.schema, self.guard.table)
        rows, values = (sql.Identifier(trigger) for trigger in trigger_names(self.name))
        yield _statement(
            "CREATE FUNCTION {function}() RETURNS trigger\nLANGUAGE plpgsql SECURITY DEFINER\n"
            "SET search_path = pg_catalog, pg_temp{settings}\nAS {body}",
            function=function, settings=self._settings(), body=_quoted(self._body()),
        )  # fmt: skip
        yield _statement("REVOKE ALL ON FUNCTION {function}() FROM PUBLIC", function=function)
        yield _statement(
            "CREATE TRIGGER {rows}\nAFTER INSERT OR DELETE ON {table}\nFOR EACH ROW EXECUTE FUNCTION {function}()",
            rows=rows, table=table, function=function,
        )  # fmt: skip
        # Compared byte by byte: equal is not the same (1.0 and 1.00, citext), and json has no equality at all.
        yield _statement(
            "CREATE TRIGGER {values}\nAFTER UPDATE ON {table}\nFOR EACH ROW\n"
            "WHEN ({new}::record OPERATOR(pg_catalog.*<>) {old}::record)\nEXECUTE FUNCTION {function}()",
            values=values, table=table, function=function, new=self._watched("new"), old=self._watched("old"),
        )  # fmt: skip
        yield _statement(
            "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {rows}, ENABLE ALWAYS TRIGGER {values}",
            table=table, rows=rows, values=values,
        )  # fmt: skip

    def _watched(self, row: str) -> sql.Composable:
        if not self.watched:
            return sql.SQL("({}.*)").format(sql.Identifier(row))
        fields = sql.SQL(", ").join(sql.Identifier(row, name) for name in (*self.guard.key, *self.watched))
        return sql.SQL("ROW({})").format(fields)

    def _settings(self) -> sql.Composable:
        if self.plain_key:
            return sql.SQL("")
        lines = (
            sql.SQL("\nSET {} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in FIXED.items()
        )
        return sql.SQL("").join(lines)

    def _body(self) -> str:
        """It only adds rows: nothing in it waits for another transaction, and nothing can be in its way."""
        return (
            sql.SQL(
                "\nDECLARE\n    new_key jsonb;\n    old_key jsonb;\nBEGIN\n"
                "    IF TG_OP <> 'DELETE' THEN\n"
                "        new_key := jsonb_build_object({new});\n        {insert} new_key);\n    END IF;\n"
                "    IF TG_OP <> 'INSERT' THEN\n"
                "        old_key := jsonb_build_object({old});\n"
                "        IF old_key IS DISTINCT FROM new_key THEN\n            {insert} old_key);\n        END IF;\n"
                "    END IF;\n    RETURN NULL;\nEND\n"
            )
            .format(
                new=self._key("new"),
                old=self._key("old"),
                insert=sql.SQL("INSERT INTO rag_wizard.captured (part_id, ordinal, key) VALUES ({}, {},").format(
                    sql.Literal(self.guard.part_id), sql.Literal(self.guard.ordinal)
                ),
            )
            .as_string()
        )

    def _key(self, row: str) -> sql.Composable:
        return sql.SQL(", ").join(
            sql.SQL("{}, {}::text").format(sql.Literal(name), sql.Identifier(row, name)) for name in self.guard.key
        )

    def noting(self) -> str:
        """What the registry is told in the transaction that makes them."""
        return (
            sql.SQL(
                "INSERT INTO rag_wizard.capture (part_id, ordinal, table_schema, table_name, name)"
                " VALUES ({}, {}, {}, {}, {})"
            )
            .format(self.guard.part_id, sql.Literal(self.guard.ordinal), self.schema, self.guard.table, self.name)
            .as_string()
        )

    def standing(self) -> StandingCapture:
        """As it is once it was made."""
        return StandingCapture(self.guard.place, self.schema, self.guard.table, self.name, True, True)


@dataclass(frozen=True)
class StandingCapture:
    """Triggers that the registry knows of, whoever made them."""

    place: Place
    schema: str
    table: str
    name: str
    intact: bool
    """Both triggers are there and always fire: nobody dropped or disabled them in between."""
    before_archive: bool
    """They were there before the snapshot of the archive that was asked for."""

    def removing(self) -> Iterator[Statement]:
        """Takes triggers and function away. Needs ACCESS EXCLUSIVE on the table for a moment."""
        for trigger in trigger_names(self.name):
            yield _statement(
                "DROP TRIGGER IF EXISTS {trigger} ON {table}",
                trigger=sql.Identifier(trigger), table=sql.Identifier(self.schema, self.table),
            )  # fmt: skip
        yield _statement("DROP FUNCTION IF EXISTS {function}()", function=sql.Identifier("rag_wizard", self.name))

    def forgetting(self) -> str:
        """What the registry is told in the transaction that takes them away."""
        return (
            sql.SQL("DELETE FROM rag_wizard.capture WHERE part_id = {} AND ordinal = {}")
            .format(self.place[0], sql.Literal(self.place[1]))
            .as_string()
        )


def trigger_names(name: str) -> tuple[str, str]:
    """For rows that come and go, and for values that change."""
    return f"rag_wizard_{name}_rows", f"rag_wizard_{name}_values"


def _statement(template: str, **parts: sql.Composable) -> Statement:
    return Statement(sql.SQL(template).format(**parts).as_string())


def _quoted(body: str) -> sql.Composable:
    """Readable where it can be: a name may hold the tag."""
    tag = "$rag_wizard$"
    return sql.Literal(body) if tag in body else sql.SQL(tag + body + tag)


def find_captures(connection: Connection, schema: str, guards: Iterable[Guard]) -> dict[Place, Capture]:
    """The guards that need triggers: values in columns of a large table, whose rows are found by their key.

    Reads the catalog only. Where triggers cannot note everything (tables that inherit without being partitions, foreign
    partitions, a key that is not unique), the part that drops the columns looks through the table, as with a small one.
    """
    found: dict[Place, Capture] = {}
    for guard in guards:
        if not guard.columns or not guard.key:
            continue
        named = columns_named(guard.select, guard.table)
        others = [name for name in named or () if name not in (*guard.key, *guard.columns)]
        columns = [*guard.columns, *others]
        about = {"schema": schema, "table": guard.table, "key": list(guard.key), "columns": columns}
        for row in connection.execute(query("capture_table"), about).fetchall():
            large = row["rows"] > LARGE_ROWS or row["bytes"] > LARGE_BYTES
            if large and row["possible"] and not set(guard.columns).isdisjoint(row["columns"]):
                watched = tuple(row["columns"]) if named is not None else ()
                found[guard.place] = Capture(guard, schema, watched, tuple(row["key_types"]), row["plain_key"])
    return found


def standing_captures(
    connection: Connection, rollout_id: str | None, archive_id: str | None = None
) -> dict[Place, StandingCapture]:
    """Captures that stand, of one rollout or of all; for an archive also whether they noted all that it lacks."""
    if not has_room(connection, "archives"):
        return {}
    rows = connection.execute(query("captures"), {"rollout_id": rollout_id, "archive_id": archive_id})
    return {
        (row["part_id"], row["ordinal"]): StandingCapture(
            (row["part_id"], row["ordinal"]), row["schema"], row["table"], row["name"], row["intact"],
            row["before_archive"],
        )
        for row in rows
    }  # fmt: skip


def standing_words(connection: Connection, rollout_id: str) -> str:
    """The end of a sentence about a database in which an interrupted rollback left its triggers; else empty."""
    tables = dict.fromkeys(one.table for one in standing_captures(connection, rollout_id).values())
    return f"; triggers on {', '.join(tables)} note what changes, for a rollback that did not end" if tables else ""


@dataclass(frozen=True)
class Batch:
    """Some of the captured rows: so many, behind the one of this number."""

    limit: int
    after: int


def moving(
    capture: Capture, guard: Guard, columns: Sequence[str], archive_id: str, *, batch: Batch | None = None
) -> str:
    """Moves captured rows as they are now into late_row; one row: keys noted, rows that they are, the last's number.

    Keys and rows are read in one snapshot, so a change is either in the row or still noted. `guard` and `columns` are
    the archive's: the text of every value as it was archived. OFFSET 0 keeps the server from reading the whole table:
    each row is found by its key. Without `batch` all are moved.
    """
    place = sql.SQL("part_id = {} AND ordinal = {}").format(guard.part_id, sql.Literal(guard.ordinal))
    every = select_of(guard.table, tuple(columns), "true")
    texts = sql.SQL(", ").join(
        sql.SQL("{}::text AS {}").format(sql.Identifier("found", name), sql.Identifier(name)) for name in columns
    )
    keys = sql.SQL(", ").join(
        sql.SQL("changed.key ->> {} AS {}").format(sql.Literal(name), sql.Identifier(name)) for name in guard.key
    )
    return (
        sql.SQL(
            "WITH moved AS (\n"
            "    DELETE FROM rag_wizard.captured WHERE {place}{bound} RETURNING number, key\n"
            "), changed AS (\n    SELECT DISTINCT key FROM moved\n), saved AS (\n"
            "    INSERT INTO rag_wizard.late_row (archive_id, part_id, ordinal, holds, row)\n"
            "    SELECT {archive}, {part}, {ordinal}, coalesce(now_is.holds, 'nothing'),\n"
            "           coalesce(now_is.row, (SELECT row_to_json(lost.*) FROM (SELECT {keys}) AS lost))\n"
            "    FROM changed LEFT JOIN LATERAL (\n"
            "        SELECT (SELECT row_to_json(kept.*) FROM (SELECT {texts}) AS kept) AS row,\n"
            "               CASE WHEN EXISTS (SELECT FROM (\n{worth}\n) AS own WHERE {own})\n"
            "                    THEN 'values' ELSE 'defaults' END AS holds\n"
            "        FROM (\n{every}\n) AS found WHERE {match} OFFSET 0\n"
            "    ) AS now_is ON true RETURNING 1\n)\n"
            "SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM saved) AS saved,\n"
            "       (SELECT max(number) FROM moved) AS last"
        )
        .format(
            place=place,
            bound=_within(place, batch) if batch is not None else sql.SQL(""),
            archive=archive_id,
            part=guard.part_id,
            ordinal=sql.Literal(guard.ordinal),
            keys=keys,
            texts=texts,
            worth=sql.SQL(guard.select),
            own=_is_key("own", guard.key, capture.key_types),
            every=sql.SQL(every),
            match=_is_key("found", guard.key, capture.key_types),
        )
        .as_string()
    )


def _within(place: sql.Composable, batch: Batch) -> sql.Composable:
    """Up to the number of the last row of the batch: one range of the primary key."""
    return sql.SQL(
        " AND number > {after} AND number <= (\n"
        "        SELECT max(number) FROM (SELECT number FROM rag_wizard.captured WHERE {place} AND number > {after}\n"
        "                                   ORDER BY number LIMIT {limit}) AS first)"
    ).format(place=place, after=sql.Literal(batch.after), limit=sql.Literal(batch.limit))


def _is_key(row: str, key: Sequence[str], types: Sequence[str]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = (changed.key ->> {})::{}").format(
            sql.Identifier(row, name), sql.Literal(name), sql.SQL(type_)
        )
        for name, type_ in zip(key, types, strict=True)
    )  # fmt: skip


BY_INDEX = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),"
    " set_config('enable_sort', 'off', true)"
)
"""For the transaction. Keys come and go too fast for statistics, and a scan must not look cheaper than a look-up."""


def saving_captured(capture: Capture, guard: Guard, columns: Sequence[str], archive_id: str, budget_ms: int) -> str:
    """Saves what is left of the captured rows, in the transaction that destroys the values and under its lock.

    It refuses if somebody touched the triggers meanwhile, since changes could have gone unseen then; and it lets go at
    once if too much is left, as if the lock had not been had.
    """
    body = sql.SQL(
        "    noted bigint;\n    came bigint;\nBEGIN\n"
        "    IF to_regclass({name}) IS NULL THEN RETURN; END IF;\n"
        "    IF (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = to_regclass({name})\n"
        "        AND tgname = ANY ({triggers}::text[]) AND tgenabled = 'A') <> 2 THEN\n"
        "        RAISE EXCEPTION '{touched} of %: %', {what}, {triggers} USING ERRCODE = 'RW002',\n"
        "            HINT = 'Roll back again: its values are archived anew.';\n    END IF;\n"
        "    {by_index};\n"
        "    IF (SELECT count(*) FROM (SELECT FROM rag_wizard.captured WHERE part_id = {part}\n"
        "        AND ordinal = {ordinal} LIMIT {most} + 1) AS found) > {most} THEN\n"
        "        RAISE EXCEPTION '{too_much}: %', {what} USING ERRCODE = '55P03';\n    END IF;\n"
        "    EXECUTE {move} INTO noted, came;\n"
        "    UPDATE rag_wizard.archive_file SET late = coalesce(late, 0) + came, captured = true,\n"
        "        saved_at = clock_timestamp()\n"
        "    WHERE archive_id = {archive} AND part_id = {part} AND ordinal = {ordinal};\n"
    ).format(
        name=sql.Literal(sql.Identifier(capture.schema, guard.table).as_string()),
        triggers=sql.Literal(list(trigger_names(capture.name))),
        touched=sql.SQL(TOUCHED),
        what=guard.table,
        part=guard.part_id,
        ordinal=sql.Literal(guard.ordinal),
        most=sql.Literal(MOST_LEFT),
        too_much=sql.SQL(TOO_MUCH),
        by_index=sql.SQL(BY_INDEX.replace("SELECT", "PERFORM")),
        move=sql.Literal(moving(capture, guard, columns, archive_id)),
        archive=archive_id,
    )
    return limited(body, guard.table, budget_ms)


TOO_MUCH = "the application changed too much since the archive to save it under a lock"
"""How it begins when more is left than `MOST_LEFT`; it lets go as if the lock had not been had."""
TOUCHED = "somebody dropped or disabled the triggers that note changes"
"""How the server's message begins when the captured rows can no longer be trusted."""
