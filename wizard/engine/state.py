"""The states of a step with glyph, ASCII glyph and word: one enum for screen, `status`, JSON and README."""

from __future__ import annotations

from enum import Enum


class StepState(Enum):
    """Where a step or part stands. The value is the stable name used in JSON."""

    TODO = "todo"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    PASSED = "passed"
    """Step 0 and V: nothing was changed, everything asked for holds."""
    DONE = "done"
    ADOPTED = "adopted"
    PARTLY = "partly"
    DECIDE = "decide"
    OPEN = "open"
    """The operator's own work is left (step 5 without a file)."""
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    WOULD_RUN = "would_run"

    @property
    def glyph(self) -> str:
        """One character, as drawn on a terminal that has Unicode."""
        return _LOOK[self][0]

    @property
    def ascii_glyph(self) -> str:
        """One ASCII character with the same meaning."""
        return _LOOK[self][1]

    @property
    def word(self) -> str:
        """The word people read beside the glyph; at most 11 characters."""
        return _LOOK[self][2]

    @property
    def is_complete(self) -> bool:
        """True when nothing of the step is left for the engine to do."""
        return self in _COMPLETE


_COMPLETE = frozenset({StepState.DONE, StepState.ADOPTED, StepState.PASSED, StepState.OPEN})

_LOOK: dict[StepState, tuple[str, str, str]] = {
    StepState.TODO: ("·", ".", "to do"),
    StepState.RUNNING: ("▶", ">", "running"),
    StepState.WAITING: ("▶", ">", "waiting"),
    StepState.PAUSED: ("‖", "=", "paused"),
    StepState.PASSED: ("✔", "+", "passed"),
    StepState.DONE: ("✔", "+", "done"),
    StepState.ADOPTED: ("≡", "a", "adopted"),
    StepState.PARTLY: ("◐", "%", "partly done"),
    StepState.DECIDE: ("?", "?", "decide"),
    StepState.OPEN: ("○", "o", "open"),
    StepState.FAILED: ("✖", "x", "failed"),
    StepState.ROLLED_BACK: ("↶", "<", "rolled back"),
    StepState.CONFLICT: ("≠", "!", "conflict"),
    StepState.UNKNOWN: ("~", "~", "unknown"),
    StepState.WOULD_RUN: ("▷", "-", "would run"),
}
