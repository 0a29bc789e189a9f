"""Tables in Markdown, as they are printed and as docs/benchmarks.md keeps them."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def table(head: Row, rows: Sequence[Row]) -> str:
    """Columns padded to be read in a terminal too; the first one to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = [("-" * width if not column else "-" * (width - 1) + ":") for column, width in enumerate(widths)]
    return "\n".join(_line(row, widths) for row in (head, rule, *rows))


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(cells)} |"


def count(number: int) -> str:
    """`1 000 000`."""
    return f"{number:,}".replace(",", " ")


def milliseconds(seconds: float) -> str:
    """`12.3 ms` below a tenth of a second, `1 234 ms` above: three digits that mean something."""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{count(round(seconds * 1000))} ms"


def times(ratio: float) -> str:
    """`1.25`, `310`."""
    return f"{ratio:.2f}" if ratio < 100 else count(round(ratio))
