"""Takes a plain UPDATE apart into what batches of it are made of: table, SET and WHERE. It sends nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlainUpdate:
    """An UPDATE of one table: texts as they were written."""

    table: str
    columns: tuple[str, ...]
    """Those that it sets."""
    assignments: str
    """Between SET and WHERE."""
    condition: str
    """Behind WHERE."""


def plain_update(text: str) -> PlainUpdate | None:
    """The parts of an UPDATE with a condition; None for all else, also for one with FROM, WITH or RETURNING."""
    import postgast

    node = postgast.parse(text).stmts[0].stmt
    if node.WhichOneof("node") != "update_stmt":
        return None
    update = node.update_stmt
    if update.from_clause or not update.HasField("where_clause"):
        return None
    if update.HasField("returning_clause") or update.HasField("with_clause"):
        return None
    if update.relation.alias.aliasname or update.relation.schemaname:
        return None
    setting, where = _keywords(text)
    if setting is None or where is None:
        return None
    raw = text.encode()
    columns = tuple(target.res_target.name for target in update.target_list)
    assignments, condition = raw[setting : where - len("WHERE")], raw[where:]
    return PlainUpdate(update.relation.relname, columns, assignments.decode().strip(), condition.decode().strip())


def _keywords(text: str) -> tuple[int | None, int | None]:
    """Byte offsets behind SET and WHERE, those outside of parentheses."""
    import postgast
    from postgast import pg_query_pb2

    depth, setting, where = 0, None, None
    for token in postgast.scan(text).tokens:
        name = pg_query_pb2.Token.Name(token.token)
        if name in {"ASCII_40", "ASCII_41"}:
            depth += 1 if name == "ASCII_40" else -1
        elif depth == 0 and name == "SET" and setting is None:
            setting = token.end
        elif depth == 0 and name == "WHERE":
            where = token.end
    return setting, where
