"""Text that others wrote, made safe to show: control characters become visible. No markup, no terminal, no output."""

from __future__ import annotations

import re

_INVISIBLE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
_UNSAFE = re.compile(f"[{_INVISIBLE}]")
_UNSAFE_IN_LINE = re.compile(f"[\t\n{_INVISIBLE}]")


def visible(text: str) -> str:
    r"""`text` with every control, bidirectional and invisible character written as `\x1b`; line ends and tabs stay."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`text` in one line: white space at line ends becomes one space, everything else that is invisible is escaped."""
    return _UNSAFE_IN_LINE.sub(_escape, re.sub(r"\s*\r?\n\s*", " ", text.strip()).replace("\t", " "))


def shortened(text: str, width: int, mark: str = "...") -> str:
    """`text` in one line of at most `width` characters, with `mark` where something was cut."""
    line = one_line(text)
    return line if len(line) <= width else line[: max(0, width - len(mark))].rstrip() + mark


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
