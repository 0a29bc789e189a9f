"""Bounds that the command line, the screen and the engine keep to alike. Imports nothing."""

from __future__ import annotations

BATCH_ROWS = (100, 50_000)
"""Fewest and most rows of a batch: a batch holds its rows' locks until it commits."""
AIMED_BATCH_ROWS = (10, 5_000)
"""The same while nobody said a number: a batch then has as many rows as `BATCH_AIM_S` allows for."""
BATCH_AIM_S = 0.02
"""How long a batch should hold the locks of its rows. Whoever updates one of them waits for the rest of it, so this is
what an application notices of a backfill; smaller batches than that only cost time."""
ALONE_AIM_S = 0.05
"""The same while nobody else writes: what a batch costs besides its rows counts less then."""
DELAY_S = (0.0, 60.0)
"""Shortest and longest pause between two batches."""
