"""Which columns decide whether a value is worth keeping, by the text of a guard's SELECT. Nothing is sent from here."""

from __future__ import annotations


def columns_named(select: str, table: str) -> tuple[str, ...] | None:
    """The names that `select` reads by PostgreSQL's own parser, each once; None if it may read any column of `table`.

    Names of other tables' columns are among them: whoever asks knows which ones `table` has.
    """
    import postgast
    from postgast import pg_query_pb2

    try:
        tree = postgast.parse(select)
    except postgast.PgQueryError:
        # The server's grammar may be newer than the parser's.
        return None
    found: dict[str, None] = {}
    for reference in postgast.find_nodes(tree, pg_query_pb2.ColumnRef):
        last = reference.fields[-1]
        if last.WhichOneof("node") != "string" or last.string.sval == table:
            return None
        found[last.string.sval] = None
    return tuple(found)
