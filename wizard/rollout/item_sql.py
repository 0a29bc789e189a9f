"""The SQL of one item alone: what makes it, takes it away again, puts a replaced one back. It sends nothing."""

from __future__ import annotations

import json
import re

from psycopg import sql

from wizard.rollout.shape import Item, ItemKind

_CREATE = {
    ItemKind.COLUMN: "ALTER TABLE {table} ADD COLUMN {definition}",
    ItemKind.CONSTRAINT: "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}",
}
_DROP = {
    ItemKind.TABLE: "DROP TABLE IF EXISTS {table}",
    ItemKind.COLUMN: "ALTER TABLE IF EXISTS {table} DROP COLUMN IF EXISTS {name}",
    ItemKind.CONSTRAINT: "ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {name}",
    ItemKind.INDEX: "DROP INDEX IF EXISTS {name}",
    ItemKind.TRIGGER: "DROP TRIGGER IF EXISTS {name} ON {table}",
    ItemKind.FUNCTION: "DROP FUNCTION IF EXISTS {signature}",
    ItemKind.POLICY: "DROP POLICY IF EXISTS {name} ON {table}",
    ItemKind.RLS: "ALTER TABLE IF EXISTS {table} DISABLE ROW LEVEL SECURITY",
}
_INSERT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, {definition})"
_DROP_ROW = """\
DO $rag_wizard$
#variable_conflict use_column
DECLARE
    path text := current_setting('search_path');
    child record;
    used boolean;
BEGIN
    -- From here on nobody begins to refer to the row, and who did so before is seen below.
    PERFORM FROM {table} WHERE to_jsonb({table}.*) @> {row}::jsonb FOR UPDATE;
    -- A row that another one refers to stays: deleting it could delete that one too.
    FOR child IN
        SELECT c.conrelid::regclass AS name,
               (SELECT string_agg(format('child.%I = parent.%I', a.attname, b.attname), ' AND ')
                FROM unnest(c.conkey, c.confkey) AS k (here, there)
                JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.here
                JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = k.there) AS matches
        FROM pg_constraint AS c
        WHERE c.contype = 'f' AND c.confrelid = to_regclass({name})
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS child JOIN %s AS parent ON %s WHERE to_jsonb(parent.*) @> %L)',
                       child.name, {name}, child.matches, {row}) INTO used;
        IF used THEN RETURN; END IF;
    END LOOP;
    -- One that was edited since stays as well. Triggers find their functions where an application finds them.
    PERFORM set_config('search_path', quote_ident(current_schema()) || ', public, extensions, pg_temp', true);
    DELETE FROM {table} WHERE to_jsonb({table}.*) @> {row}::jsonb AND ({edited}) IS NOT TRUE;
    PERFORM set_config('search_path', path, true);
END
$rag_wizard$"""
_COLUMN_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_REVOKE = """\
DO $rag_wizard$
DECLARE
    kept record;
    before text[] := '{{}}';
    after text[] := '{{}}';
    one text;
BEGIN
    -- REVOKE takes the privilege from every column as well: those that had it by themselves get it back. A privilege
    -- beside it holds their place in the list meanwhile, so that it stays as it was to the letter.
    FOR kept IN
        SELECT a.attname AS name, bool_or(acl.is_grantable AND acl.privilege_type = {privilege_text}) AS grantable,
               bool_or(acl.privilege_type = {spare_text}) AS has_spare
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
        WHERE c.oid = to_regclass({name}) AND acl.grantor = c.relowner
          AND acl.grantee = CASE {role_text} WHEN 'PUBLIC' THEN 0 ELSE to_regrole({role_text})::oid END
        GROUP BY a.attname HAVING bool_or(acl.privilege_type = {privilege_text})
    LOOP
        IF NOT kept.has_spare THEN
            before := before || format('GRANT {spare} (%I) ON %s TO %s', kept.name, {name}, {role_text});
        END IF;
        after := after || (format('GRANT {privilege} (%I) ON %s TO %s', kept.name, {name}, {role_text})
                           || CASE WHEN kept.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        IF NOT kept.has_spare THEN
            after := after || format('REVOKE {spare} (%I) ON %s FROM %s', kept.name, {name}, {role_text});
        END IF;
    END LOOP;
    FOREACH one IN ARRAY before || format('REVOKE {privilege} ON %s FROM %s', {name}, {role_text}) || after LOOP
        EXECUTE one;
    END LOOP;
END
$rag_wizard$"""
_PUT_BACK = """\
DO $rag_wizard$
BEGIN
    -- Its types may lie in schemas that are not on the search path now.
    PERFORM set_config('check_function_bodies', 'off', true);
    -- Only while it still is what the rollout left: a body that somebody wrote since stays.
    IF (SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure({signature})) = {ours} THEN
        EXECUTE {definition};
    END IF;
END
$rag_wizard$"""


_LITERAL = r"(?:[ ]?E)?'(?:[^']|'')*'"
_STILL_OURS = re.compile(
    r"IF \(SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure\((literal)\)\) = (literal) THEN".replace(
        "literal", _LITERAL
    )
)


def create_sql(item: Item) -> str:
    """The statement that makes this item alone. A table cannot be made without its columns: ValueError."""
    if item.kind is ItemKind.TABLE:
        raise ValueError(f"{item.words} is not made by itself")
    if item.kind is ItemKind.ROW:
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in json.loads(item.definition))
        return (
            sql.SQL(_INSERT)
            .format(table=sql.Identifier(item.table), columns=columns, definition=sql.Literal(item.definition))
            .as_string()
        )
    return _filled(_CREATE.get(item.kind, "{definition}"), item)


def drop_sql(item: Item, edited: str = "false", *, concurrently: bool = False) -> str:
    """The statement that takes this item away again. Never CASCADE.

    A row goes only if nothing refers to it and it was not edited since; `edited` is the SQL condition for that.
    `concurrently`: an index, outside of a transaction.
    """
    if concurrently:
        return _filled("DROP INDEX CONCURRENTLY IF EXISTS {name}", item)
    if item.kind is ItemKind.ROW:
        table = sql.Identifier(item.table)
        name, row = sql.Literal(table.as_string()), sql.Literal(item.definition)
        return sql.SQL(_DROP_ROW).format(table=table, name=name, row=row, edited=sql.SQL(edited)).as_string()
    if item.kind is ItemKind.GRANT:
        return _revoke(item)
    return _filled(_DROP[item.kind], item)


def _revoke(item: Item) -> str:
    """A privilege on a whole table goes; what its columns had by themselves, which REVOKE takes with it, stays."""
    role, _, privilege = item.name.rpartition(": ")
    table = sql.Identifier(item.table)
    if privilege not in _COLUMN_PRIVILEGES:
        return (
            sql.SQL("REVOKE {privilege} ON {table} FROM {role}")
            .format(privilege=sql.SQL(privilege), table=table, role=sql.SQL(role))
            .as_string()
        )
    spare = "SELECT" if privilege == "REFERENCES" else "REFERENCES"
    return (
        sql.SQL(_REVOKE)
        .format(
            name=sql.Literal(table.as_string()),
            role_text=sql.Literal(role),
            privilege=sql.SQL(privilege),
            privilege_text=sql.Literal(privilege),
            spare=sql.SQL(spare),
            spare_text=sql.Literal(spare),
        )
        .as_string()
    )


def put_back_sql(before: Item, after: Item) -> str:
    """The statement that gives a replaced function its old definition. CREATE OR REPLACE keeps owner, ACL and comment.

    `after` is what the rollout replaced it with.
    """
    return (
        sql.SQL(_PUT_BACK)
        .format(
            signature=sql.Literal(before.name),
            ours=sql.Literal(_body(after.definition)),
            definition=sql.Literal(before.definition),
        )
        .as_string()
    )


def asking_whether_ours(statement: str) -> str:
    """The SELECT of what a recorded statement of `put_back_sql` will find: name, is_there, is_ours.

    Empty for any other statement.
    """
    found = _STILL_OURS.search(statement)
    if found is None:
        return ""
    return (
        sql.SQL(
            "SELECT {name} AS name, count(*) > 0 AS is_there, COALESCE(bool_and(prosrc = {ours}), false) AS is_ours"
            " FROM pg_catalog.pg_proc WHERE oid = to_regprocedure({name})"
        )
        .format(name=sql.SQL(found[1]), ours=sql.SQL(found[2]))
        .as_string()
    )


def _body(definition: str) -> str:
    """The text between the dollar quotes of a function's definition, as pg_get_functiondef prints it."""
    quote = "$function$"
    while quote not in definition and len(quote) < 64:
        quote = quote[:-1] + "x$"
    return definition.partition(quote)[2].rpartition(quote)[0]


def _filled(template: str, item: Item) -> str:
    return (
        sql.SQL(template)
        .format(
            table=sql.Identifier(item.table),
            name=sql.Identifier(item.name),
            signature=sql.SQL(item.name),
            definition=sql.SQL(item.definition),
        )
        .as_string()
    )
