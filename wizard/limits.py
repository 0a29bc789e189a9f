"""Bounds that the command line, the screen and the engine keep to alike. Imports nothing."""

from __future__ import annotations

BATCH_ROWS = (100, 50_000)
"""Fewest and most rows of a batch: a batch holds its rows' locks until it commits."""
DEFAULT_BATCH_ROWS = 5000
DELAY_S = (0.0, 60.0)
"""Shortest and longest pause between two batches."""
