"""What the steps are rendered for, and which decisions wait for an answer: read when a rollout begins, and when it is
resumed, since what a decision is about can come to be in between."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import errors

from wizard.db.connect import Connection
from wizard.db.reading import read_rows
from wizard.engine.session.record import RolloutRecord
from wizard.engine.settings import Settings
from wizard.errors import ContradictionError, PrerequisiteError, RolloutInvalidError, WizardError
from wizard.rollout.answers import require_answers
from wizard.rollout.model import Decision, Rollout, Step, holds
from wizard.rollout.queries import require_text, select
from wizard.rollout.render import Mode, RenderedStep, open_decisions, with_decisions


@dataclass(frozen=True)
class Asking:
    """What decisions are asked by."""

    facts: Mapping[str, str]
    """As they are now, with the answers. What the steps were rendered for when the rollout began may differ."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Given for a rollout that is under way, and not recorded yet."""
    trouble: WizardError | None = None
    """Why the facts are not those of now: nothing may be sent that a decision is about."""

    def missing(self, rollout: Rollout, steps: Collection[str] | None = None) -> tuple[Decision, ...]:
        """Decisions without a default that apply and have no answer; about one of `steps`, if given."""
        return tuple(
            decision
            for decision in open_decisions(rollout, self.facts)
            if decision.default is None and (steps is None or not concerned(rollout, decision).isdisjoint(steps))
        )


def concerned(rollout: Rollout, decision: Decision) -> frozenset[str]:
    """The steps that a decision is about: its own, and those of which a condition names it."""
    return frozenset({decision.step, *(step.id for step in rollout.steps if decision.name in _named(step))})


def _named(step: Step) -> Iterator[str]:
    """The facts and decisions that what a step sends depends on."""
    for fragment in (*step.deploy, *step.revert):
        yield from fragment.when
        for edit in fragment.edit:
            yield from edit.when
    for deviation in step.deviations:
        yield from deviation.when


def begin(connection: Connection, rollout: Rollout, settings: Settings) -> Asking:
    """Everything that a new rollout is rendered for, answers and defaults included.

    Raises UsageError for an answer that there is not, RolloutInvalidError if the rollout's query of facts is broken.
    """
    facts = {"schema": settings.schema, "replica_role": replica_role(connection), **_read(connection, rollout)}
    require_answers(rollout, settings.decisions)
    return Asking(with_decisions(rollout, facts, settings.decisions))


def resume(
    connection: Connection, rollout: Rollout, settings: Settings, record: RolloutRecord, steps: Iterable[RenderedStep]
) -> Asking:
    """What is left to ask of a rollout that is under way; the facts are read only where anything may be.

    `steps` are its steps as they were recorded. Raises UsageError for an answer that there is not.
    """
    recorded = {**record.facts, **record.decisions}
    given = {name: value for name, value in settings.decisions.items() if name not in record.decisions}
    require_answers(rollout, given)
    left = {rendered.step.id for rendered in steps if _may_run(rendered, record)}
    open_ones = [
        decision
        for decision in rollout.decisions
        if decision.default is None
        and decision.name not in record.decisions
        and not concerned(rollout, decision).isdisjoint(left)
    ]
    if not open_ones:
        return Asking(recorded)
    try:
        live = _read(connection, rollout)
    except RolloutInvalidError as error:
        # Rolling back needs no facts, and always works.
        return Asking(recorded, trouble=error)
    except psycopg.OperationalError as error:
        if connection.broken:
            raise
        return Asking(recorded, trouble=_not_read(error))
    # Schema and role are those that the steps were rendered for: whether these hold triggers back follows from them.
    facts = {**record.facts, **live, **record.decisions}
    answers = {one.name: given[one.name] for one in open_ones if one.name in given and holds(one.when, facts)}
    return Asking({**facts, **answers}, answers)


def _may_run(rendered: RenderedStep, record: RolloutRecord) -> bool:
    """It is not finished, or may be asked to go through its table again."""
    unfinished = len(record.finished(rendered.step.id)) < len(rendered.parts)
    return unfinished or any(part.mode is Mode.BATCHES for part in rendered.parts)


def _not_read(error: psycopg.Error) -> PrerequisiteError:
    return PrerequisiteError(
        "what the open decisions depend on could not be read",
        why=f"The server says: {error.diag.message_primary or error}. Nothing was changed.",
        fix="Run the same command again, once nobody keeps the tables locked.",
    )


def _read(connection: Connection, rollout: Rollout) -> dict[str, str]:
    """The rollout's own facts."""
    if not rollout.facts:
        return {}
    try:
        rows = read_rows(connection, select(rollout, rollout.facts))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise RolloutInvalidError(f"sql/{rollout.facts}: the server says: {error}", fix="Correct it.") from None
    require_text(rows, (), rollout.facts, at_least=1)
    return {name: str(value) for name, value in rows[0].items()}


def replica_role(connection: Connection) -> str:
    """Whether this role may hold application triggers back: tried, since the catalog's answer is wrong on Supabase."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL session_replication_role = replica")
    except errors.InsufficientPrivilege:
        return "refused"
    return "allowed"


def require_no_contradiction(record: RolloutRecord, settings: Settings) -> None:
    """Raises ContradictionError if an option differs from what this rollout recorded."""
    for name, answer in settings.decisions.items():
        if record.decisions.get(name, answer) != answer:
            raise ContradictionError(
                f'decision "{name}" was answered "{record.decisions[name]}" in this rollout, not "{answer}"',
                fix="Leave the option out to go on, or roll back first.",
            )
    if settings.strategy not in {"auto", record.strategy}:
        raise ContradictionError(
            f'this rollout began with strategy "{record.strategy}", not "{settings.strategy}"',
            fix="Leave --strategy out to go on, or roll back first.",
        )
