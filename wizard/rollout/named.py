"""Which tables a statement names without their schema. It sends nothing."""

from __future__ import annotations

from functools import cache


@cache
def tables_named(text: str) -> tuple[str, ...]:
    """Tables and views that the statement reads or writes, each once; its own WITH queries are none of them.

    Nor is what FOR UPDATE OF names: aliases of those.
    """
    import postgast
    from postgast import pg_query_pb2

    tree = postgast.parse(text)
    own = {one.ctename for one in postgast.find_nodes(tree, pg_query_pb2.CommonTableExpr)}
    locking = postgast.find_nodes(tree, pg_query_pb2.LockingClause)
    aliases = {locked.range_var.location for clause in locking for locked in clause.locked_rels}
    found = (one for one in postgast.find_nodes(tree, pg_query_pb2.RangeVar) if not one.schemaname)
    return tuple(dict.fromkeys(one.relname for one in found if one.relname not in own and one.location not in aliases))
