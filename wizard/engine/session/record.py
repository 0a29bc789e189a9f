"""What the registry holds of one rollout, and what follows from it. It reads nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from wizard.engine.state import StepState


@dataclass(frozen=True)
class PartRecord:
    """One attempt at a part."""

    part_id: str
    session_id: str
    step: str
    part: int
    direction: str
    title: str
    digest: str
    state: str
    """intent, done, failed or interrupted."""
    backend_pid: int
    strategy: str
    """Of the step: atomic or online."""
    mode: str
    """transaction, concurrently or batches."""
    batches: int
    """Committed batches; they stand whatever became of the part."""
    rows: int
    """Changed by them."""
    total: int | None
    """Rows that had to be changed when it began; None: not counted."""
    reached: dict[str, Any] | None
    """Where the next batch begins."""
    intended_at: datetime
    number: int
    """The order of attempts."""
    xid: str | None
    """Of the transaction that committed it."""
    horizon: str | None
    """Oldest transaction still running when it began."""
    seconds: float | None
    wizard_version: str
    adopted: bool
    """It found everything there and sent nothing."""

    @property
    def stands(self) -> bool:
        """The database holds something of it: it is done, or some of its batches are committed."""
        return self.state == "done" or self.batches > 0

    @property
    def is_concurrent(self) -> bool:
        """It is sent outside of a transaction: without its checkpoint it may have done all, some or none of it."""
        return self.mode == "concurrently"


@dataclass(frozen=True)
class SessionRecord:
    """One sitting of an operator."""

    session_id: str
    operator: str
    wizard_version: str
    backend_pid: int
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class RolloutRecord:
    """One rollout of a name in a schema, with every attempt at a part, oldest first."""

    rollout_id: str
    name: str
    target_schema: str
    strategy: str
    wizard_version: str
    facts: dict[str, str]
    decisions: dict[str, str]
    begun_at: datetime
    ended_at: datetime | None
    parts: tuple[PartRecord, ...] = field(default=())
    sessions: tuple[SessionRecord, ...] = field(default=())

    @property
    def active(self) -> bool:
        """Anything may be rolled out."""
        return self.ended_at is None

    def standing(self, step: str) -> tuple[PartRecord, ...]:
        """The step's parts that are done, or done in part, and not rolled back, in part order."""
        return self._standing.get(step, ())

    @cached_property
    def _standing(self) -> dict[str, tuple[PartRecord, ...]]:
        """By step, read off once: sentences ask for every step again and again."""
        latest: dict[str, dict[int, PartRecord]] = {}
        for record in self.parts:
            # Some batches of the way back leave the rest of the part standing.
            if record.stands and (record.direction == "deploy" or record.state == "done"):
                latest.setdefault(record.step, {})[record.part] = record
        return {
            step: tuple(parts[part] for part in sorted(parts) if parts[part].direction == "deploy")
            for step, parts in latest.items()
        }

    @property
    def rolled_back(self) -> tuple[tuple[PartRecord, PartRecord], ...]:
        """Each part that was rolled back and did not run again since, with the attempt that rolled it back."""
        made: dict[tuple[str, int], PartRecord] = {}
        found: dict[tuple[str, int], tuple[PartRecord, PartRecord]] = {}
        for record in self.parts:
            place = (record.step, record.part)
            if record.direction == "deploy" and record.stands:
                made[place] = record
                found.pop(place, None)
            elif record.direction == "revert" and record.state == "done" and place in made:
                found[place] = (made[place], record)
        return tuple(found.values())

    @cached_property
    def _undone(self) -> frozenset[str]:
        """Steps of which a part was ever rolled back."""
        return frozenset(one.step for one in self.parts if one.direction == "revert" and one.state == "done")

    def finished(self, step: str) -> tuple[PartRecord, ...]:
        """Those of `standing` of which nothing is left to do."""
        return tuple(record for record in self.standing(step) if record.state == "done" and not self.reverting(record))

    def settled(self, step: str) -> tuple[PartRecord, ...]:
        """Those of `standing` that a rollback did not begin to drop: only the catalog knows how far that came."""
        return tuple(
            record
            for record in self.standing(step)
            if (going := self.reverting(record)) is None or not going.is_concurrent
        )

    def reverting(self, standing: PartRecord) -> PartRecord | None:
        """The attempt to roll this part back that is not over.

        Some of its batches are committed, but not all; or it was sent outside of a transaction, and did not come to
        its checkpoint.
        """
        for record in reversed(self.parts):
            if (record.step, record.part) != (standing.step, standing.part):
                continue
            if record.direction == "revert" and record.state != "done" and (record.stands or record.is_concurrent):
                return record
            if record.stands:
                return None
        return None

    def attempts(self, step: str, part: int) -> tuple[PartRecord, ...]:
        """What was tried of one part since it was last rolled back, newest first."""
        found: list[PartRecord] = []
        for record in reversed(self.parts):
            if (record.step, record.part) != (step, part):
                continue
            if record.direction == "revert" and record.state == "done":
                break
            found.append(record)
        return tuple(found)

    @property
    def without_checkpoint(self) -> tuple[PartRecord, ...]:
        """Of each part outside of a transaction the latest attempt, if it ended before its checkpoint.

        None of a part that stands from before, when a rollback began to drop what it made.
        """
        latest = {(p.step, p.part): p for p in self.parts if p.direction == "deploy" or p.state == "done"}
        return tuple(
            part
            for part in latest.values()
            if part.direction == "deploy"
            and part.is_concurrent
            and part.state != "done"
            and part.part not in {other.part for other in self.standing(part.step)}
        )

    def maker(self, step: str, part: int) -> PartRecord | None:
        """The attempt that made an object of this part which is there, though it has no checkpoint; None: nobody's.

        What is whole is the latest attempt's own if nobody saw that end: the name was free before. One that failed may
        have found it there.
        """
        latest = next((one for one in self.attempts(step, part) if one.direction == "deploy"), None)
        return latest if latest is not None and latest.is_concurrent and latest.state != "failed" else None

    @property
    def failed(self) -> PartRecord | None:
        """The failure that nobody has answered yet: the latest attempt, if it failed."""
        return self.parts[-1] if self.parts and self.parts[-1].state == "failed" else None

    @property
    def unresolved(self) -> PartRecord | None:
        """An intent whose outcome nobody has looked up: its session died or is still at work."""
        return self.parts[-1] if self.parts and self.parts[-1].state == "intent" else None

    def state(self, step: str, parts: int) -> StepState:
        """The recorded state of a step that consists of `parts` parts."""
        failed = self.failed
        # A rollback that failed left the step standing, whole.
        if failed is not None and failed.step == step and failed.direction == "deploy":
            return StepState.FAILED
        standing = self.standing(step)
        if standing and len(self.finished(step)) < parts:
            return StepState.PARTLY
        if standing:
            return StepState.ADOPTED if all(part.adopted for part in standing) else StepState.DONE
        if step in self._undone:
            return StepState.ROLLED_BACK
        return StepState.TODO
