"""Splits SQL into statements with PostgreSQL's own parser and remembers where each began. It sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.rollout.model import Fill
    from wizard.rollout.shape import Shape

DATA_CHANGES = frozenset({"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
"""Parser node kinds whose number of rows is worth a record."""


@dataclass(frozen=True)
class Statement:
    """One statement and its place."""

    sql: str
    """Without the closing semicolon and without comments before it."""
    kind: str = ""
    """The parser's name of the statement, for example "alter_table_stmt"."""
    file: str = ""
    """Path below sql/, empty for the wizard's own statements."""
    line: int = 0
    """Line of `file` on which it begins, from 1."""
    before: str = ""
    after: str = ""
    """What the engine puts around it when it is sent; the log keeps the statement alone."""
    remembers: Fill | None = None
    """It fills this column, which was there before: the engine notes which rows."""
    makes: Shape | None = None
    """What it adds, where the text is not that of a file and so not in shapes.json."""
    validates: bool = False
    """It only looks whether `makes`, which an earlier part added, holds for every row."""
    stands: bool = False
    """An attempt that nobody saw the end of has committed it: it is logged, not sent."""

    @property
    def changes_data(self) -> bool:
        """True for INSERT, UPDATE, DELETE and MERGE."""
        return self.kind in DATA_CHANGES


def terminated(sql: str, end: str = ";") -> str:
    """`sql` with its terminator, on a line of its own where the text could end in a comment that would swallow it."""
    last = sql.rsplit("\n", 1)[-1]
    return f"{sql}\n{end}" if "--" in last else f"{sql}{end}"


class SqlSyntaxError(Exception):
    """The text is not SQL; `line` is where the parser stopped, from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def split_sql(text: str, file: str = "") -> tuple[Statement, ...]:
    """The statements of `text` in order. Raises SqlSyntaxError."""
    import postgast

    try:
        parsed = postgast.parse(text)
    except postgast.PgQueryError as error:
        line = text.count("\n", 0, max(error.cursorpos - 1, 0)) + 1
        raise SqlSyntaxError(str(error), line) from None
    raw = text.encode()
    found = []
    for node in parsed.stmts:
        # The parser gives byte offsets. The first statement's offset skips leading comments only from the second on.
        begin = node.stmt_location
        end = begin + node.stmt_len if node.stmt_len else len(raw)
        sql = raw[begin:end].decode()
        lead = len(sql) - len(_without_leading_comments(sql))
        line = raw[:begin].decode().count("\n") + sql.count("\n", 0, lead) + 1
        found.append(Statement(sql[lead:].rstrip(), node.stmt.WhichOneof("node") or "", file, line))
    return tuple(found)


def only_select(text: str) -> str | None:
    """The statement of `text`, if it is exactly one SELECT, else None.

    What may stand in parentheses behind FROM is a SELECT: the parser says so without handing its tree over, which takes
    a tenth of the time of `split_sql`.
    """
    import postgast

    try:
        statements = postgast.split(text)
        if len(statements) != 1:
            return None
        alone = _without_leading_comments(statements[0]).rstrip()
        wrapped = postgast.split(f"SELECT FROM (\n{alone}\n) AS q")
    except postgast.PgQueryError:
        return None
    return alone if len(wrapped) == 1 else None


def _without_leading_comments(sql: str) -> str:
    """`sql` from its first token on."""
    rest = sql.lstrip()
    while rest.startswith(("--", "/*")):
        behind = rest.partition("\n")[2] if rest.startswith("--") else _after_block_comment(rest)
        rest = behind.lstrip()
    return rest


def _after_block_comment(sql: str) -> str:
    """PostgreSQL's block comments nest."""
    depth, at = 0, 0
    while at < len(sql):
        pair = sql[at : at + 2]
        if pair in {"/*", "*/"}:
            depth += 1 if pair == "/*" else -1
            at += 2
            if depth == 0:
                return sql[at:]
        else:
            at += 1
    return ""
