"""Which names a statement is about to use, read from its parse tree: never a list kept by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wizard.rollout.statements import Statement

if TYPE_CHECKING:
    from postgast import pg_query_pb2


@dataclass(frozen=True)
class Name:
    """A name in the target schema."""

    kind: str
    """relation, column, constraint, chosen constraint (the server chooses its name), function, trigger or policy."""
    name: str
    parent: str = ""
    """The table; for a function its argument types, comma-separated as the catalog prints them."""


def created_names(statements: Iterable[Statement]) -> tuple[Name, ...]:
    """Names that the statements create, implicit constraints included; not those on tables they create themselves."""
    import postgast

    found: list[Name] = []
    for statement in statements:
        for node in postgast.parse(statement.sql).stmts:
            kind = node.stmt.WhichOneof("node")
            reader = _READERS.get(kind or "")
            if reader is not None:
                found += reader(getattr(node.stmt, str(kind)))
    # What the statements themselves drop first, an index that a build left invalid, is in nobody's way.
    dropped = {name.name for name in found if name.kind == "dropped"}
    found = [name for name in found if name.kind != "dropped" and name.name not in dropped]
    own = {name.name for name in found if name.kind == "relation"}
    anywhere = {"function", "chosen constraint"}
    return tuple(dict.fromkeys(name for name in found if name.kind in anywhere or name.parent not in own))


def _table(node: pg_query_pb2.CreateStmt) -> Iterator[Name]:
    table = node.relation.relname
    yield Name("relation", table)
    for element in node.table_elts:
        constraints: Iterable[Any] = []
        column = ""
        if element.WhichOneof("node") == "column_def":
            column = element.column_def.colname
            constraints = (c.constraint for c in element.column_def.constraints)
        elif element.WhichOneof("node") == "constraint":
            constraints = (element.constraint,)
        for constraint in constraints:
            name = _constraint_name(table, column, constraint)
            # Keys have an index, whose name must be free among the schema's relations.
            if name and _suffix(constraint) in {"pkey", "key"}:
                yield Name("relation", name)
            if name:
                yield Name(_constraint_kind(constraint), name, table)


def _alter_table(node: pg_query_pb2.AlterTableStmt) -> Iterator[Name]:
    table = node.relation.relname
    for wrapped in node.cmds:
        command = wrapped.alter_table_cmd
        definition = getattr(command, "def")  # a Python keyword, hence not an attribute
        if definition.WhichOneof("node") == "column_def":
            column = definition.column_def.colname
            yield Name("column", column, table)
            for constraint in definition.column_def.constraints:
                name = _constraint_name(table, column, constraint.constraint)
                if name:
                    yield Name(_constraint_kind(constraint.constraint), name, table)
        elif definition.WhichOneof("node") == "constraint":
            name = _constraint_name(table, "", definition.constraint)
            if name:
                yield Name(_constraint_kind(definition.constraint), name, table)


def _suffix(constraint: pg_query_pb2.Constraint) -> str:
    """How Postgres ends the name that it chooses; empty for a kind that has none."""
    from postgast import pg_query_pb2

    suffixes = {"CONSTR_PRIMARY": "pkey", "CONSTR_UNIQUE": "key", "CONSTR_CHECK": "check", "CONSTR_FOREIGN": "fkey"}
    return suffixes.get(pg_query_pb2.ConstrType.Name(constraint.contype), "")


def _constraint_name(table: str, column: str, constraint: pg_query_pb2.Constraint) -> str:
    """The given name, else the one that Postgres would choose; empty for NOT NULL and DEFAULT."""
    suffix = _suffix(constraint)
    if not suffix:
        return ""
    if constraint.conname:
        return str(constraint.conname)
    keys = [key.string.sval for key in constraint.keys]
    middle = "_".join(keys) or column
    if suffix == "pkey":
        middle = ""
    # Longer names are shortened by the server in a way of its own: those are left to it.
    name = "_".join(part for part in (table, middle, suffix) if part)
    return name if len(name.encode()) < 64 else ""


def _constraint_kind(constraint: pg_query_pb2.Constraint) -> str:
    return "constraint" if constraint.conname else "chosen constraint"


def _index(node: pg_query_pb2.IndexStmt) -> Iterator[Name]:
    yield Name("relation", node.idxname)


def _drop(node: pg_query_pb2.DropStmt) -> Iterator[Name]:
    for wrapped in node.objects:
        if wrapped.WhichOneof("node") == "list":
            yield Name("dropped", wrapped.list.items[-1].string.sval)


def _function(node: pg_query_pb2.CreateFunctionStmt) -> Iterator[Name]:
    types = []
    for parameter in node.parameters:
        name = parameter.function_parameter.arg_type.names[-1].string.sval
        types.append(str(name))
    yield Name("function", node.funcname[-1].string.sval, ", ".join(types))


def _trigger(node: pg_query_pb2.CreateTrigStmt) -> Iterator[Name]:
    yield Name("trigger", node.trigname, node.relation.relname)


def _policy(node: pg_query_pb2.CreatePolicyStmt) -> Iterator[Name]:
    yield Name("policy", node.policy_name, node.table.relname)


_READERS: dict[str, Any] = {
    "create_stmt": _table,
    "alter_table_stmt": _alter_table,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "create_function_stmt": _function,
    "create_trig_stmt": _trigger,
    "create_policy_stmt": _policy,
}
