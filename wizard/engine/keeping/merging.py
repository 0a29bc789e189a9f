"""The SQL that brings archived rows together with a live table: texts only, nothing is sent from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

N, LATE = "_rag_wizard_n", "_rag_wizard_late"
"""Columns of the temporary tables that no table of a rollout has."""


@dataclass(frozen=True)
class Column:
    """A column of the live table."""

    name: str
    type: str
    input: str
    """The type without limits, which a cast would apply in silence."""
    generated: bool
    always_identity: bool
    needs_value: bool
    is_key: bool


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key from or to the table."""

    name: str
    child: tuple[str, str]
    columns: tuple[str, ...]
    parent: tuple[str, str]
    parent_columns: tuple[str, ...]


def text(template: str, **parts: sql.Composable) -> str:
    """A template with its parts, as it is sent."""
    return sql.SQL(template).format(**parts).as_string()


def names(columns: Iterable[str], alias: str = "") -> sql.Composable:
    """`"a", "b"`, each behind the alias."""
    made = (sql.Identifier(alias, column) if alias else sql.Identifier(column) for column in columns)
    return sql.SQL(", ").join(made)


def equal(left: str, columns: Sequence[str], right: str, others: Sequence[str] | None = None) -> sql.Composable:
    """`l.a = r.a AND l.b = r.b`."""
    pairs = zip(columns, others or columns, strict=True)
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, a), sql.Identifier(right, b)) for a, b in pairs
    )


def no_nulls(alias: str, columns: Sequence[str]) -> sql.Composable:
    """Every column has a value: else a foreign key is not looked at."""
    return sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(alias, name)) for name in columns)


def temporary(kind: str, tag: str) -> sql.Composable:
    """pg_temp.wanted_1"""
    return sql.SQL("pg_temp.{}").format(sql.Identifier(f"{kind}_{tag}"))


def make_raw(tag: str) -> str:
    """The temporary table that a file is copied into."""
    return text(
        "CREATE TEMPORARY TABLE {name} ({n} bigint GENERATED ALWAYS AS IDENTITY, {late} boolean NOT NULL DEFAULT false,"
        " line json NOT NULL)",
        name=sql.Identifier(f"archived_{tag}"), n=sql.Identifier(N), late=sql.Identifier(LATE),
    )  # fmt: skip


def late_from_now(tag: str) -> str:
    """What is copied after this are late rows."""
    return text(
        "ALTER TABLE {raw} ALTER COLUMN {late} SET DEFAULT true",
        raw=temporary("archived", tag), late=sql.Identifier(LATE),
    )  # fmt: skip


def make_wanted(tag: str, columns: Sequence[tuple[str, str, str]]) -> str:
    """The rows with the live table's types; columns are (archived name, type, name here)."""
    typed = sql.SQL(", ").join(
        sql.SQL("(line->>{})::{} AS {}").format(sql.Literal(name), sql.SQL(type_), sql.Identifier(here))
        for name, type_, here in columns
    )
    return text(
        "CREATE TEMPORARY TABLE {name} AS SELECT {n}, {late}, {typed} FROM {raw}",
        name=sql.Identifier(f"wanted_{tag}"), n=sql.Identifier(N), late=sql.Identifier(LATE), typed=typed,
        raw=temporary("archived", tag),
    )  # fmt: skip


def drop_superseded(tag: str, key: Sequence[str]) -> str:
    """Archived rows that a late one has taken the place of: they cannot both have been there at the end."""
    return text(
        "DELETE FROM {wanted} AS old USING {wanted} AS new WHERE NOT old.{late} AND new.{late} AND {equal}",
        wanted=temporary("wanted", tag), late=sql.Identifier(LATE), equal=equal("old", key, "new"),
    )  # fmt: skip


def drop_archived(tag: str) -> str:
    """Without a key all rows were saved late."""
    return text("DELETE FROM {wanted} WHERE NOT {late}", wanted=temporary("wanted", tag), late=sql.Identifier(LATE))


def orphans(key: ForeignKey, restored_parent: str | None) -> sql.Composable:
    """Condition on `w`: its parent is neither in the database nor in the archive."""
    parent = sql.SQL("NOT EXISTS (SELECT FROM {parent} AS p WHERE {equal})").format(
        parent=sql.Identifier(*key.parent), equal=equal("p", key.parent_columns, "w", key.columns)
    )
    conditions = [no_nulls("w", key.columns), parent]
    if restored_parent is not None:
        conditions.append(
            sql.SQL("NOT EXISTS (SELECT FROM {wanted} AS q WHERE {equal})").format(
                wanted=temporary("wanted", restored_parent), equal=equal("q", key.parent_columns, "w", key.columns)
            )
        )
    return sql.SQL(" AND ").join(conditions)


def gone(table: sql.Composable, key: Sequence[str], here: Sequence[str]) -> sql.Composable:
    """Condition on `w`: the row that its values belong to is not there."""
    return sql.SQL("NOT EXISTS (SELECT FROM {table} AS t WHERE {equal})").format(
        table=table, equal=equal("t", key, "w", here)
    )


def count_wanted(tag: str, condition: sql.Composable) -> str:
    """How many rows the condition on `w` holds for."""
    return text(
        "SELECT count(*) FROM {wanted} AS w WHERE {condition}",
        wanted=temporary("wanted", tag), condition=condition,
    )  # fmt: skip


def analyze(tag: str) -> str:
    """Lets the server plan with the true size."""
    return text("ANALYZE {wanted}", wanted=temporary("wanted", tag))


def last_wanted(tag: str) -> str:
    """The highest number of a row."""
    return text("SELECT coalesce(max({n}), 0) FROM {wanted}", n=sql.Identifier(N), wanted=temporary("wanted", tag))


def lines_of(tag: str, condition: sql.Composable) -> str:
    """Their lines, as they were archived."""
    return text(
        "SELECT line FROM {raw} WHERE {n} IN (SELECT w.{n} FROM {wanted} AS w WHERE {condition})",
        raw=temporary("archived", tag), n=sql.Identifier(N), wanted=temporary("wanted", tag),
        condition=condition,
    )  # fmt: skip


def drop_wanted(tag: str, condition: sql.Composable) -> str:
    """Leaves those rows out."""
    return text("DELETE FROM {wanted} AS w WHERE {condition}", wanted=temporary("wanted", tag), condition=condition)


@dataclass(frozen=True)
class Merge:
    """The rows of one whole table against the live one."""

    tag: str
    schema: str
    table: str
    columns: tuple[str, ...]
    """Those that are written: archived, and not generated."""
    fixed: frozenset[str]
    """Of these, identity columns that only an INSERT may write."""
    key: tuple[str, ...]
    uniques: tuple[tuple[str, ...], ...]
    guard: str
    """SELECT of the live rows that belong to the application; empty: all do."""
    referenced_by: tuple[ForeignKey, ...]

    def _parts(self, unique: Sequence[str] = ()) -> dict[str, sql.Composable]:
        return {
            "table": sql.Identifier(self.schema, self.table),
            "wanted": temporary("wanted", self.tag),
            "n": sql.Identifier(N),
            "columns": names(self.columns),
            "match": equal("t", unique, "w") if unique else sql.SQL("false"),
            "differs": self._differs(),
            "own": self._own(),
        }

    def _differs(self) -> sql.Composable:
        return sql.SQL("ROW({})::text IS DISTINCT FROM ROW({})::text").format(
            names(self.columns, "t"), names(self.columns, "w")
        )

    def _own(self) -> sql.Composable:
        if not self.guard or not self.key:
            return sql.SQL("true")
        return sql.SQL("({}) IN (SELECT {} FROM ({}\n) AS kept)").format(
            names(self.key, "t"), names(self.key, "kept"), sql.SQL(self.guard)
        )

    def _referenced(self) -> sql.Composable:
        found = [
            sql.SQL("EXISTS (SELECT FROM {child} AS c WHERE {equal})").format(
                child=sql.Identifier(*key.child), equal=equal("c", key.columns, "t", key.parent_columns)
            )
            for key in self.referenced_by
        ]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(found)) if found else sql.SQL("false")

    def there(self) -> str:
        """How many of the rows are there already, exactly."""
        match = equal("t", self.key, "w") if self.key else sql.SQL("true")
        return text(
            "SELECT count(*) FROM {wanted} AS w WHERE EXISTS"
            " (SELECT FROM {table} AS t WHERE {match} AND NOT {differs})",
            **{**self._parts(), "match": match},
        )

    def conflicts(self) -> str:
        """Keys of live rows of the application that stand where an archived row with other content belongs."""
        shown = self.key or self.columns[:1]
        found = sql.SQL(" UNION ").join(
            sql.SQL("SELECT {shown} FROM {wanted} AS w JOIN {table} AS t ON {match} WHERE {differs} AND {own}").format(
                shown=sql.SQL("concat_ws(', ', {})").format(names(shown, "t")), **self._parts(unique)
            )
            for unique in self.uniques
        )
        return sql.SQL("SELECT * FROM ({}) AS taken ORDER BY 1").format(found).as_string()

    def seeds(self) -> str:
        """How many live rows that the rollout itself put there stand in the place of an archived one."""
        found = sql.SQL(" UNION ").join(
            sql.SQL(
                "SELECT w.{n} FROM {wanted} AS w JOIN {table} AS t ON {match} WHERE {differs} AND NOT ({own})"
            ).format(**self._parts(unique))
            for unique in self.uniques
        )
        return sql.SQL("SELECT count(*) FROM ({}) AS seed").format(found).as_string()

    def lock(self, unique: Sequence[str]) -> str:
        """Holds rows that may be replaced: nobody can begin to refer to one of them then."""
        return text(
            "SELECT FROM {table} AS t WHERE EXISTS (SELECT FROM {wanted} AS w WHERE {match} AND {differs}) FOR UPDATE",
            **self._parts(unique),
        )

    def replace_seeds(self, unique: Sequence[str]) -> str:
        """Removes untouched rows of the rollout's own that nothing refers to: the archived ones follow, exactly."""
        return text(
            "DELETE FROM {table} AS t USING {wanted} AS w WHERE {match} AND {differs} AND NOT ({own})"
            " AND NOT {referenced}",
            **self._parts(unique), referenced=self._referenced(),
        )  # fmt: skip

    def update_seeds(self, unique: Sequence[str]) -> str:
        """Those that something refers to by now are changed in place."""
        written = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("w", name))
            for name in self.columns
            if name not in self.fixed
        )
        return text(
            "UPDATE {table} AS t SET {written} FROM {wanted} AS w WHERE {match} AND {differs} AND NOT ({own})",
            **self._parts(unique), written=written,
        )  # fmt: skip

    def insert(self) -> str:
        """The rows that are not there, with the values of identity columns too."""
        there = equal("t", self.key, "w") if self.key else sql.SQL("NOT {}").format(self._differs())
        return text(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {chosen} FROM {wanted} AS w"
            " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE {there}) ORDER BY w.{n}",
            **self._parts(), chosen=names(self.columns, "w"), there=there,
        )  # fmt: skip

    def move_sequence(self, column: str, sequence: str) -> str:
        """Lets the next generated value come after the restored ones."""
        return text(
            "SELECT setval({sequence}::regclass, m.value) FROM (SELECT max({column}) AS value FROM {table}) AS m,"
            " {relation} AS s WHERE m.value > s.last_value OR (m.value = s.last_value AND NOT s.is_called)",
            table=sql.Identifier(self.schema, self.table), column=sql.Identifier(column),
            sequence=sql.Literal(sequence), relation=sql.SQL(sequence),
        )  # fmt: skip


@dataclass(frozen=True)
class Value:
    """An added column whose values are put back."""

    name: str
    here: str
    """Its name in the temporary table."""
    own: str
    """SQL condition: the live value is more than a default or a backfill."""


@dataclass(frozen=True)
class Refill:
    """Values of added columns against the live table."""

    tag: str
    schema: str
    table: str
    key: tuple[str, ...]
    key_here: tuple[str, ...]
    values: tuple[Value, ...]

    def _match(self) -> sql.Composable:
        return sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(self.table, a), sql.Identifier("w", b))
            for a, b in zip(self.key, self.key_here, strict=True)
        )

    def _differs(self, value: Value) -> sql.Composable:
        return sql.SQL("{}::text IS DISTINCT FROM {}::text").format(
            sql.Identifier(self.table, value.name), sql.Identifier("w", value.here)
        )

    def _any(self, *, own: bool) -> sql.Composable:
        template = "({differs} AND ({own}) IS TRUE)" if own else "({differs} AND ({own}) IS NOT TRUE)"
        return sql.SQL(" OR ").join(
            sql.SQL(template).format(differs=self._differs(value), own=sql.SQL(value.own)) for value in self.values
        )

    def _parts(self, first: int = 0, last: int | None = None) -> dict[str, sql.Composable]:
        within = sql.SQL("true")
        if last is not None:
            within = sql.SQL("w.{} BETWEEN {} AND {}").format(sql.Identifier(N), sql.Literal(first), sql.Literal(last))  # type: ignore[assignment]
        return {
            "table": sql.Identifier(self.schema, self.table),
            "name": sql.Identifier(self.table),
            "wanted": temporary("wanted", self.tag),
            "n": sql.Identifier(N),
            "match": self._match(),
            "within": within,
        }

    def to_set(self, first: int = 0, last: int | None = None) -> str:
        """How many rows get a value back."""
        return text(
            "SELECT count(*) FROM {table} JOIN {wanted} AS w ON {match} WHERE {within} AND ({needed})",
            **self._parts(first, last), needed=self._any(own=False),
        )  # fmt: skip

    def kept(self) -> str:
        """How many rows hold a value that the application wrote since, which stays."""
        return text(
            "SELECT count(*) FROM {table} JOIN {wanted} AS w ON {match} WHERE {within} AND ({kept})",
            **self._parts(), kept=self._any(own=True),
        )  # fmt: skip

    def update(self, first: int, last: int) -> str:
        """One batch; rows that somebody else holds are left for the next pass, so that nobody waits for us."""
        written = sql.SQL(", ").join(
            sql.SQL("{name} = CASE WHEN ({own}) IS TRUE THEN {live} ELSE {value} END").format(
                name=sql.Identifier(value.name), own=sql.SQL(value.own),
                live=sql.Identifier(self.table, value.name), value=sql.Identifier("w", value.here),
            )
            for value in self.values
        )  # fmt: skip
        return text(
            "WITH picked AS MATERIALIZED (\n"
            "    SELECT w.{n} FROM {table} JOIN {wanted} AS w ON {match} WHERE {within} AND ({needed})\n"
            "    FOR NO KEY UPDATE OF {name} SKIP LOCKED\n)\n"
            "UPDATE {table} SET {written}\nFROM {wanted} AS w\n"
            "WHERE {match} AND w.{n} IN (SELECT {n} FROM picked)",
            **self._parts(first, last), needed=self._any(own=False), written=written,
        )  # fmt: skip

    def forget_value(self, value: Value, condition: sql.Composable) -> str:
        """Leaves one column's value out where it cannot be put back."""
        return text(
            "UPDATE {wanted} AS w SET {column} = NULL WHERE {condition}",
            wanted=temporary("wanted", self.tag), column=sql.Identifier(value.here), condition=condition,
        )  # fmt: skip
