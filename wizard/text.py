"""Text that others wrote, made safe to show, and amounts as people read them. No markup, no output."""

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


def file_name(text: str) -> str:
    """`text` as one component of a path on any system, whatever it holds and however long it is."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in text)[:80]
    return name.lstrip(".") or "unnamed"


def shortened(text: str, width: int, mark: str = "...") -> str:
    """`text` in one line of at most `width` characters, with `mark` where something was cut."""
    line = one_line(text)
    return line if len(line) <= width else line[: max(0, width - len(mark))].rstrip() + mark


def duration(seconds: float) -> str:
    """A pause as it is also typed: `0`, `50 ms`, `1 s`, `1.5 s`."""
    if seconds <= 0:
        return "0"
    return f"{seconds * 1000:.4g} ms" if seconds < 1 else f"{seconds:.4g} s"


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `1,000 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """Hours where there are any, minutes and seconds: `0:14`, `1:02:03`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar(done: int, total: int, width: int, *, unicode: bool = True) -> tuple[str, str]:
    """A bar of `width` cells in two pieces, what is done and what is left, told apart without colour too."""
    full, half, left = ("━", "╸", "─") if unicode else ("#", "#", ".")
    halves = min(max(done, 0) * width * 2 // total, width * 2) if total > 0 else 0
    head = full * (halves // 2) + half * (halves % 2)
    return head, left * (width - len(head))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
