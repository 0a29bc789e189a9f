"""Where a part's statements look for names: the chosen schema alone, and more only while they write rows.

What the rollout names is in the chosen schema. While rows of the application are written its checks, index expressions
and triggers run, which find their functions where an application on Supabase does. A table is never meant to be found
there: a statement that names one which the schema lacks would write to another schema's in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql

from wizard.engine.parts.literal import filled
from wizard.rollout.named import tables_named

_IN_SCHEMA = """\
DO $rag_wizard$
DECLARE
    missing text := (
        SELECT string_agg(name, ', ') FROM unnest({names}::text[]) AS name
        WHERE to_regclass(format('%I.%I', {schema}, name)) IS NULL
            AND to_regclass(format('pg_catalog.%I', name)) IS NULL
            -- A temporary one is meant, unless another schema's is found before it.
            AND (to_regclass(format('pg_temp.%I', name)) IS NULL
                 OR to_regclass(format('public.%I', name)) IS NOT NULL
                 OR to_regclass(format('extensions.%I', name)) IS NOT NULL)
    );
BEGIN
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'schema % has no table %', {schema}, missing USING ERRCODE = '42P01',
            DETAIL = 'The next statement names it without a schema. One of that name in another schema is not meant.',
            HINT = 'Correct the rollout''s SQL, or choose the schema that has the table with --schema.';
    END IF;
END
$rag_wizard$"""


def narrow_path(schema: str) -> str:
    """For everything but writing rows."""
    return filled(sql.SQL("{schema}, pg_temp"), schema=sql.Identifier(schema))


def wide_path(schema: str) -> str:
    """For writing rows: where an application on Supabase finds its functions, behind the schema."""
    return filled(sql.SQL("{schema}, public, extensions, pg_temp"), schema=sql.Identifier(schema))


def setting(path: str) -> str:
    """Takes it for the rest of the transaction."""
    return f"SET LOCAL search_path = {path}"


def requiring_tables(texts: Iterable[str], schema: str) -> Iterator[str]:
    """What fails if a table that one of these statements names is not in the schema; nothing if they name none."""
    names = list(dict.fromkeys(name for text in texts for name in tables_named(text)))
    if names:
        yield filled(sql.SQL(_IN_SCHEMA), names=sql.Literal(names), schema=sql.Literal(schema))
