"""One look at the database: server, registry, facts, and the rollout rendered for them. The rest follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.db.reading import read_rows
from wizard.engine.exclusive import Holder, find_holder
from wizard.engine.record import RolloutRecord
from wizard.engine.registry import load_record
from wizard.engine.settings import Settings
from wizard.engine.state import StepState
from wizard.errors import RefusedError, RolloutInvalidError, UsageError
from wizard.rollout.model import Decision, Rollout, StepKind
from wizard.rollout.queries import require_text, select
from wizard.rollout.render import RenderedStep, Renderer, open_decisions, with_decisions


@dataclass(frozen=True)
class Situation:
    """What one look found."""

    target: str
    """The target name."""
    rollout: Rollout
    schema: str
    server: dict[str, Any]
    record: RolloutRecord | None
    """The active rollout, else the one that ended last."""
    facts: dict[str, str]
    """Facts and the answers to decisions."""
    renderer: Renderer
    holder: Holder | None
    """Who else holds the advisory lock right now."""

    @property
    def active(self) -> RolloutRecord | None:
        """The rollout that is under way or finished, not one that was rolled back."""
        return self.record if self.record is not None and self.record.active else None

    @property
    def open_decisions(self) -> tuple[Decision, ...]:
        """Questions without an answer and without a default."""
        return open_decisions(self.rollout, self.facts)

    def state(self, rendered: RenderedStep) -> StepState:
        """The recorded state of a step."""
        step, record = rendered.step, self.record
        if record is None:
            return StepState.TODO
        if step.kind is StepKind.PREREQUISITES:
            # It held when the first part was sent; it is looked at again before every run.
            began = record.active and bool(record.parts)
            return StepState.PASSED if began else StepState.TODO
        if step.kind is StepKind.MANUAL:
            return StepState.OPEN if record.active and self._everything_before(step.id) else StepState.TODO
        state = record.state(step.id, max(len(rendered.parts), 1))
        if step.kind is StepKind.VERIFICATION:
            return StepState.PASSED if record.active and state is StepState.DONE else StepState.TODO
        return state

    def _everything_before(self, step_id: str) -> bool:
        """Every SQL step before this one stands."""
        assert self.record is not None
        for rendered in self.renderer.steps:
            if rendered.step.id == step_id:
                return True
            if rendered.parts and len(self.record.standing(rendered.step.id)) < len(rendered.parts):
                return False
        return False

    @property
    def remaining(self) -> tuple[RenderedStep, ...]:
        """SQL steps that are not whole, in order."""
        return tuple(
            rendered
            for rendered in self.renderer.steps
            if rendered.step.kind is StepKind.SQL and not self.state(rendered).is_complete
        )


def look(connection: Connection, target: str, rollout: Rollout, settings: Settings) -> Situation:
    """Reads what there is. Raises RefusedError if an option contradicts what an active rollout recorded."""
    server = connection.execute(query("server")).fetchone()
    assert server is not None
    record = load_record(connection, rollout.name, settings.schema)
    if record is not None and record.active:
        facts = {**record.facts, **record.decisions}
        _refuse_contradictions(record, settings)
    else:
        facts = _facts(connection, rollout, settings)
    return Situation(
        target,
        rollout, settings.schema, server, record, facts, Renderer(rollout, facts),
        find_holder(connection, settings.schema),
    )  # fmt: skip


def _facts(connection: Connection, rollout: Rollout, settings: Settings) -> dict[str, str]:
    facts = {"schema": settings.schema, "replica_role": replica_role(connection)}
    if rollout.facts:
        try:
            rows = read_rows(connection, select(rollout, rollout.facts))
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise RolloutInvalidError(f"sql/{rollout.facts}: the server says: {error}", fix="Correct it.") from None
        require_text(rows, (), rollout.facts, at_least=1)
        facts |= {name: str(value) for name, value in rows[0].items()}
    known = {decision.name: [option.value for option in decision.options] for decision in rollout.decisions}
    for name, answer in settings.decisions.items():
        if name not in known:
            raise UsageError(f'there is no decision "{name}"', fix=f"Known: {', '.join(known) or 'none'}.")
        if answer not in known[name]:
            raise UsageError(
                f'"{answer}" is no answer to decision "{name}"', fix=f"Use one of: {', '.join(known[name])}."
            )
    return with_decisions(rollout, facts, settings.decisions)


def replica_role(connection: Connection) -> str:
    """Whether this role may hold application triggers back: tried, since the catalog's answer is wrong on Supabase."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL session_replication_role = replica")
    except errors.InsufficientPrivilege:
        return "refused"
    return "allowed"


def _refuse_contradictions(record: RolloutRecord, settings: Settings) -> None:
    for name, answer in settings.decisions.items():
        if record.decisions.get(name, answer) != answer:
            raise RefusedError(
                f'decision "{name}" was answered "{record.decisions[name]}" when this rollout began, not "{answer}"',
                fix="Leave the option out to go on, or roll back first.",
            )
    if settings.strategy not in {"auto", record.strategy}:
        raise RefusedError(
            f'this rollout began with strategy "{record.strategy}", not "{settings.strategy}"',
            fix="Leave --strategy out to go on, or roll back first.",
        )
