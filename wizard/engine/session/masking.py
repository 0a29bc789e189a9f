"""Masks the literals in a statement that somebody else sent: what it does may be shown, with which values may not."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*)
  | (?P<escaped> \b[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>'|\Z))
  | (?P<string>  (?:\b[bBnNxX]|\b[uU]&)?'(?:[^']|'')*(?P<string_end>'|\Z))
  | (?P<dollar>  (?<![\w$])\$(?P<tag>[^\W\d]\w*)?\$)
  | (?P<identifier> "(?:[^"]|"")*(?:"|\Z))
  | (?P<parameter> \$(?P<number>\d+))
  | (?P<word>    [^\W\d][\w$]*)
  | (?P<numeric> (?:0[xXoObB][0-9a-fA-F_]+ | (?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?))
    """,
    re.VERBOSE | re.DOTALL,
)
REST = "..."
"""Stands for the rest of a statement that cannot be told apart into words and values."""


def masked(sql: str) -> str:
    """`sql` with `$1`, `$2` ... for its string, dollar-quoted and numeric literals, and without its comments.

    What a server cut off in the middle of a literal ends there. A backslash before a quote of a plain string ends it
    too: whether the string ends there depends on a setting of that session.
    """
    used = max((int(n) for n in re.findall(r"\$(\d+)", sql) if len(n) < 6), default=0)
    pieces: list[str] = []
    at = 0
    while (token := _TOKEN.search(sql, at)) is not None:
        pieces.append(sql[at : token.start()])
        kept, at, whole = _read(sql, token)
        if kept is None:
            used += 1
            kept = f"${used}"
        pieces.append(kept)
        if not whole:
            return "".join(pieces) + REST
    return "".join(pieces) + sql[at:]


def _read(sql: str, token: re.Match[str]) -> tuple[str | None, int, bool]:
    """What stays of a token (None: it is a literal), where it ends, and whether what follows can be told."""
    text, end = token[0], token.end()
    if token["comment"]:
        after = end if text != "/*" else _end_of_comment(sql, end)
        return "", after or len(sql), after is not None
    if token["dollar"]:
        close = sql.find(text, end)
        return None, close + len(text), close >= 0
    if token["escaped"] or token["string"]:
        ends = token["escaped_end"] or (token["string_end"] and "\\'" not in text)
        return None, end, bool(ends)
    return (None if token["numeric"] else text), end, True


def _end_of_comment(sql: str, at: int) -> int | None:
    """Where the comment ends whose first `/*` is before `at`: they nest. None if it does not."""
    depth = 1
    for token in re.finditer(r"/\*|\*/", sql[at:]):
        depth += 1 if token[0] == "/*" else -1
        if not depth:
            return at + token.end()
    return None
