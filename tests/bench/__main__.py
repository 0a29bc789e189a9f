"""`make bench`: what a rollout costs the application, the database and the operator, as tables with ratios."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.bench.backfill import Backfill, backfill, backfill_table
from tests.bench.cost import cost, cost_table, stage_table
from tests.bench.ground import SERVER, Ground, describe, ground
from tests.bench.stall import lines, report, stall_table, stalls
from tests.bench.table import count
from tests.bench.whole import paint, whole_run, whole_table
from tests.support.cluster import Cluster

SIZES = (100_000, 1_000_000)
SECTIONS = ("stall", "backfill", "cost", "whole")


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What BENCH="..." may say."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, help="one more size, in clones")
    parser.add_argument("--guide-up-to", type=int, default=sys.maxsize, help="larger sizes without the guide's own run")
    parser.add_argument("--far-up-to", type=int, default=sys.maxsize, help="larger sizes only near, without a file")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="other sizes, as in 100000,1000000")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="only this section; may be repeated")
    parser.add_argument("--window", type=float, default=4.0, help="seconds of a window whose worst latency counts")
    parser.add_argument("--by-key", action="store_true", help="rows lie in the order of their ids, not of their age")
    parser.add_argument("--runs", type=int, default=9, help="pairs of short measurements")
    return parser.parse_args(words)


def main() -> None:
    """Measures and prints, a table as soon as it is whole."""
    chosen = options()
    sizes = sorted({*chosen.sizes, *([chosen.rows] if chosen.rows else [])})
    sections = chosen.only or SECTIONS
    say(describe())
    if {"stall", "backfill"} & set(sections):
        with ground(sizes, by_key=chosen.by_key) as here:
            large(here, sizes, sections, chosen)
    if {"cost", "whole"} & set(sections):
        small(sections, chosen)


def large(here: Ground, sizes: Sequence[int], sections: Sequence[str], chosen: argparse.Namespace) -> None:
    """What depends on the number of rows, size by size."""
    waited: list[tuple[str, ...]] = []
    filled: list[Backfill] = []
    for rows in sizes:
        if "stall" in sections:
            note(f"{count(rows)} clones: what the application notices")
            guide, far = rows <= chosen.guide_up_to, rows <= chosen.far_up_to
            found = stalls(here, rows, window_s=chosen.window, guide=guide, far=far)
            waited += report(rows, found)
            say(f"\n{stall_table(waited)}\n", *lines(found))
        if "backfill" in sections:
            note(f"{count(rows)} clones: the backfill")
            filled.append(backfill(here, rows, guide=rows <= chosen.guide_up_to))
            say(f"\n{backfill_table(filled)}")
        here.forget(rows)


def small(sections: Sequence[str], chosen: argparse.Namespace) -> None:
    """What is measured on a few rows."""
    if "cost" in sections:
        with in_memory() as cluster, ground(()) as here:
            costs = [cost("in memory", cluster, chosen.runs), cost("on disk", here.cluster, chosen.runs)]
        say(f"\n{cost_table(costs)}", f"\n{stage_table(costs)}")
    if "whole" in sections:
        with in_memory() as cluster, ground(()) as here:
            run = whole_run(cluster, here.folder, chosen.runs)
            screen = paint(cluster, here.folder, chosen.runs)
        say(f"\n{whole_table(run, screen)}")


@contextmanager
def in_memory() -> Iterator[Cluster]:
    """The tests' own server: nothing waits for a disk."""
    cluster = Cluster.start(SERVER)
    try:
        yield cluster
    finally:
        cluster.close()


def say(*lines: str) -> None:
    """Prints at once, whoever reads."""
    print(*lines, sep="\n", flush=True)


def note(text: str) -> None:
    """What is going on, for whoever waits; no part of the report."""
    print(f"... {text}", file=sys.stderr, flush=True)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


if __name__ == "__main__":
    main()
