"""Which names a statement is about to use, read from its parse tree: never a list kept by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
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
    """The table; for a function the types of its arguments, comma-separated, as `to_regtype` reads them."""


def created_names(statements: Iterable[Statement]) -> tuple[Name, ...]:
    """Names that the statements create, implicit constraints included; not those on tables they create themselves."""
    found = [name for statement in statements for name in _names_of(statement.sql)]
    # What the statements themselves drop first, an index that a build left invalid, is in nobody's way.
    dropped = {(name.name, name.parent) for name in found if name.kind == "dropped"}
    found = [
        name for name in found if name.kind != "dropped" and not {(name.name, ""), (name.name, name.parent)} & dropped
    ]
    own = {name.name for name in found if name.kind == "relation"}
    anywhere = {"function", "chosen constraint"}
    return tuple(dict.fromkeys(name for name in found if name.kind in anywhere or name.parent not in own))


def dropped_names(statement: Statement) -> tuple[str, ...]:
    """Names that a statement drops or renames."""
    return tuple(name.name for name in _names_of(statement.sql) if name.kind == "dropped")


@lru_cache(maxsize=1024)
def rls_enabled(statement: Statement) -> str:
    """The table of which a statement enables row level security and does nothing else; empty if it does not."""
    if statement.kind != "alter_table_stmt":
        return ""
    import postgast
    from postgast import pg_query_pb2

    node = postgast.parse(statement.sql).stmts[0].stmt.alter_table_stmt
    commands = {wrapped.alter_table_cmd.subtype for wrapped in node.cmds}
    return str(node.relation.relname) if commands == {pg_query_pb2.AT_EnableRowSecurity} else ""


@lru_cache(maxsize=1024)
def _names_of(text: str) -> tuple[Name, ...]:
    """Kept, because every look at a database asks for those of all statements that are left."""
    import postgast

    found: list[Name] = []
    for node in postgast.parse(text).stmts:
        kind = node.stmt.WhichOneof("node")
        reader = _READERS.get(kind or "")
        if reader is not None:
            found += reader(getattr(node.stmt, str(kind)))
    return tuple(found)


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
    from postgast import pg_query_pb2

    table = node.relation.relname
    for wrapped in node.cmds:
        command = wrapped.alter_table_cmd
        if command.subtype in {pg_query_pb2.AT_DropColumn, pg_query_pb2.AT_DropConstraint}:
            yield Name("dropped", command.name, table)
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
        elif wrapped.WhichOneof("node") == "object_with_args":
            yield Name("dropped", wrapped.object_with_args.objname[-1].string.sval)


def _rename(node: pg_query_pb2.RenameStmt) -> Iterator[Name]:
    from postgast import pg_query_pb2

    table = node.relation.relname
    kinds = {pg_query_pb2.OBJECT_COLUMN: "column", pg_query_pb2.OBJECT_TABCONSTRAINT: "constraint"}
    relations = {
        pg_query_pb2.OBJECT_TABLE, pg_query_pb2.OBJECT_INDEX, pg_query_pb2.OBJECT_VIEW, pg_query_pb2.OBJECT_MATVIEW,
        pg_query_pb2.OBJECT_SEQUENCE,
    }  # fmt: skip
    if node.rename_type in kinds:
        yield Name("dropped", node.subname, table)
        yield Name(kinds[node.rename_type], node.newname, table)
    elif node.rename_type in relations:
        yield Name("dropped", table)
        yield Name("relation", node.newname)


def _view(node: pg_query_pb2.ViewStmt) -> Iterator[Name]:
    yield Name("relation", node.view.relname)


def _function(node: pg_query_pb2.CreateFunctionStmt) -> Iterator[Name]:
    from postgast import pg_query_pb2

    results = {pg_query_pb2.FUNC_PARAM_OUT, pg_query_pb2.FUNC_PARAM_TABLE}
    parameters = (wrapped.function_parameter for wrapped in node.parameters)
    types = (_type(one.arg_type) for one in parameters if one.mode not in results)
    yield Name("function", node.funcname[-1].string.sval, ", ".join(types))


def _type(node: pg_query_pb2.TypeName) -> str:
    names = [name.string.sval for name in node.names]
    # The parser puts its own names for `integer` and the like into this schema.
    if names[0] == "pg_catalog":
        names = names[1:]
    return ".".join(map(_quoted, names)) + "[]" * bool(node.array_bounds)


def _quoted(name: str) -> str:
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name != "char"
    return name if plain else '"' + name.replace('"', '""') + '"'


def _trigger(node: pg_query_pb2.CreateTrigStmt) -> Iterator[Name]:
    yield Name("trigger", node.trigname, node.relation.relname)


def _policy(node: pg_query_pb2.CreatePolicyStmt) -> Iterator[Name]:
    yield Name("policy", node.policy_name, node.table.relname)


_READERS: dict[str, Any] = {
    "create_stmt": _table,
    "alter_table_stmt": _alter_table,
    "index_stmt": _index,
    "drop_stmt": _drop,
    "rename_stmt": _rename,
    "view_stmt": _view,
    "create_function_stmt": _function,
    "create_trig_stmt": _trigger,
    "create_policy_stmt": _policy,
}
