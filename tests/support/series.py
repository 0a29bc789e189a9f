"""Long series: all of it in `make test-all`, a sample that is the same every time in `make test`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

SEED = 20261122


def sampled(series: Sequence[Any], size: int = 3) -> list[Any]:
    """The series as parameters, all but `size` of them marked slow."""
    kept = set(random.Random(SEED).sample(range(len(series)), size))
    return [value if index in kept else _slow(value) for index, value in enumerate(series)]


def _slow(value: Any) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
