"""Whether others write on the server while a backfill runs, by the transaction numbers that they used up."""

from __future__ import annotations

BUSY_A_SECOND = 5.0
"""Transactions of others that write: fewer are the server's own housekeeping, or somebody at a prompt."""
SHORT_S = 0.9
"""In less than this one number says nothing: it may be the heartbeat of our own session."""
NEWS = 0.5
"""How much the last second counts beside those before it, so that one quiet moment is not taken for the end."""


class Others:
    """The transactions a second that others write, on the whole server: they share its WAL and its disk.

    Only a transaction that writes takes a number, so those of the backfill can be told from the others: one for each
    batch. Whoever only reads takes none, and does not wait for the disk either. Subtransactions that write count too.
    """

    def __init__(self) -> None:
        self._seen: tuple[float, int, int] | None = None
        self._rate: float | None = None

    def look(self, at: float, next_xid: int, own: int) -> None:
        """At `at` seconds the next transaction gets the number `next_xid`; the backfill has used `own` so far."""
        if self._seen is not None and at > self._seen[0]:
            before, xid, owned = self._seen
            if at - before < SHORT_S:
                owned -= 1
            rate = max(next_xid - xid - (own - owned), 0) / (at - before)
            self._rate = rate if self._rate is None else (1 - NEWS) * self._rate + NEWS * rate
        self._seen = (at, next_xid, own)

    @property
    def writing(self) -> float:
        """Transactions a second; 0.0 while they are too few to matter, or nothing is known yet."""
        return self._rate if self._rate is not None and self._rate >= BUSY_A_SECOND else 0.0

    @property
    def none(self) -> bool:
        """It is known that nobody writes, or hardly anybody."""
        return self._rate is not None and not self.writing
