"""The machine's own stalls: what a test measures is not blamed on the server while nobody at all could work."""

from __future__ import annotations

import time
from typing import Any

from tests.support.polling import Loop

NAP_S = 0.005
STALL_S = 0.05
"""Whoever sleeps this much longer than it asked for was kept from waking."""


class Stalls:
    """A thread that only sleeps, over and over, while the block runs. What it oversleeps is the machine's doing.

    It never speaks to the database, so nobody who waits for a lock there is taken for a stall.
    """

    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []
        self._loop = Loop("stalls", self._nap)

    def _nap(self) -> None:
        due = time.monotonic() + NAP_S
        time.sleep(NAP_S)
        woke = time.monotonic()
        if woke - due > STALL_S:
            self._spans.append((due, woke))

    def without(self, began: float, ended: float) -> float:
        """Seconds between the two, the stalls taken out. Ask after the block: a stall is known once it is over."""
        stalled = (min(ended, woke) - max(began, due) for due, woke in self._spans)
        return ended - began - sum(max(seconds, 0.0) for seconds in stalled)

    def __enter__(self) -> Stalls:
        self._loop.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        self._loop.__exit__(*about)
