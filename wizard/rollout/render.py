"""Turns a step into the statements for one database: conditions resolved, edits applied. It knows no connection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from wizard.errors import RolloutInvalidError
from wizard.rollout.model import Decision, Deviation, Fill, Fragment, Lock, Rollout, Step, holds
from wizard.rollout.parsed import parsed_statements
from wizard.rollout.shape import Item
from wizard.rollout.statements import Statement

Facts = Mapping[str, str]


NOT_IN_A_PART = {
    "transaction_stmt": "a step may not begin, commit or roll back a transaction of its own",
    "copy_stmt": "COPY has no place in a step: its data cannot travel with the part",
}
"""Statement kinds that would break the rule that a part and its checkpoint commit together."""


@dataclass(frozen=True)
class Group:
    """Statements that are sent under the same settings."""

    statements: tuple[Statement, ...]
    hold_triggers: bool = False
    subsumed_by: str = ""
    replaces: bool = False
    fills: tuple[Fill, ...] = ()
    batched_by: tuple[str, ...] = ()


class Mode(Enum):
    """How a part is sent. The value is its name in the registry."""

    TRANSACTION = "transaction"
    """One transaction, with its checkpoint."""
    CONCURRENTLY = "concurrently"
    """Statements that PostgreSQL refuses inside a transaction; the checkpoint follows in one of its own."""
    BATCHES = "batches"
    """One UPDATE, a transaction for each batch, each with its place in the checkpoint."""


class Strategy(Enum):
    """How a step is executed."""

    ATOMIC = "atomic"
    ONLINE = "online"


@dataclass(frozen=True)
class Choice:
    """The strategy of one step on one database, and why."""

    strategy: Strategy = Strategy.ATOMIC
    reason: str = ""
    """As in "tickets has ~1,000,000 rows"."""


@dataclass(frozen=True)
class Part:
    """The unit that commits, forward and back."""

    title: str
    deploy: tuple[Group, ...]
    revert: tuple[Group, ...]
    made: tuple[Item, ...] = ()
    """What it adds, as far as shapes.json knows."""
    adopted: tuple[Item, ...] = ()
    """What it would add, but is there already: it belongs to the database's owner and stays."""
    replaced: tuple[Item, ...] = ()
    """What it overwrites, as it is now."""
    mode: Mode = Mode.TRANSACTION
    patient: bool = False
    """Its locks let the application read and write, so it may wait long for them."""
    locks: tuple[Lock, ...] = ()
    """What it locks, where that is not what the step says of the whole."""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All statements of the way forward, in order."""
        return tuple(statement for group in self.deploy for statement in group.statements)


@dataclass(frozen=True)
class RenderedStep:
    """A step for one database."""

    step: Step
    parts: tuple[Part, ...]
    deviations: tuple[Deviation, ...]
    digest: str
    """SHA-256 of the step's source and the facts it was rendered with: not of the rendered remainder."""
    choice: Choice = field(default_factory=Choice)


class Renderer:
    """Renders the steps of a rollout for one set of facts and decisions, each by the strategy chosen for it."""

    def __init__(self, rollout: Rollout, facts: Facts, choices: Mapping[str, Choice] | None = None) -> None:
        self.rollout = rollout
        self.facts = facts
        self._choices = choices or {}

    @cached_property
    def steps(self) -> tuple[RenderedStep, ...]:
        """Every step, in the order they run. Raises RolloutInvalidError if its SQL does not parse."""
        return tuple(self._render(step) for step in self.rollout.steps)

    def step(self, step_id: str) -> RenderedStep:
        """One step; KeyError if there is none of this id."""
        for rendered in self.steps:
            if rendered.step.id == step_id:
                return rendered
        raise KeyError(step_id)

    def _render(self, step: Step) -> RenderedStep:
        parts: tuple[Part, ...] = ()
        if step.deploy:
            deploy, revert = self._groups(step.deploy), self._groups(step.revert)
            count = sum(len(group.statements) for group in deploy)
            title = f"{count} statement{'' if count == 1 else 's'}, one transaction"
            parts = (Part(title, deploy, revert),)
        deviations = tuple(deviation for deviation in step.deviations if holds(deviation.when, self.facts))
        rendered = RenderedStep(step, parts, deviations, self._digest(step), self._choices.get(step.id, Choice()))
        if rendered.choice.strategy is Strategy.ONLINE:
            from wizard.rollout.online import online

            return online(rendered, self.rollout.shapes)
        return rendered

    def _groups(self, fragments: tuple[Fragment, ...]) -> tuple[Group, ...]:
        return tuple(
            Group(
                self._statements(fragment),
                fragment.hold_triggers and self.facts.get("replica_role") != "refused",
                fragment.subsumed_by,
                fragment.replaces,
                fragment.fills,
                fragment.batched_by,
            )
            for fragment in fragments
            if holds(fragment.when, self.facts)
        )

    def _statements(self, fragment: Fragment) -> tuple[Statement, ...]:
        text = self.rollout.read_sql(fragment.sql)
        for edit in fragment.edit:
            if holds(edit.when, self.facts):
                text = text.replace(edit.find, edit.replacement)
        found = parsed_statements(self.rollout, fragment.sql, text)
        for statement in found:
            if statement.kind in NOT_IN_A_PART:
                raise RolloutInvalidError(
                    f"sql/{fragment.sql}:{statement.line}: {NOT_IN_A_PART[statement.kind]}",
                    fix="Remove the statement: the engine begins and commits each part itself.",
                )
        return found

    def _digest(self, step: Step) -> str:
        """Source and inputs (postgres.md rule 3): the facts that the step's conditions name, and its SQL files."""
        digest = hashlib.sha256()
        names: set[str] = set()
        for fragment in (*step.deploy, *step.revert):
            names.update(fragment.when)
            names.update(name for edit in fragment.edit for name in edit.when)
            digest.update(fragment.model_dump_json().encode())
            digest.update(self.rollout.read_sql(fragment.sql).encode())
        for name in sorted(names):
            digest.update(f"{name}={self.facts.get(name)};".encode())
        return digest.hexdigest()


def open_decisions(rollout: Rollout, facts: Facts) -> tuple[Decision, ...]:
    """Decisions that apply here and have neither an answer in `facts` nor a default."""
    return tuple(d for d in applicable_decisions(rollout, facts) if d.name not in facts)


def applicable_decisions(rollout: Rollout, facts: Facts) -> tuple[Decision, ...]:
    """Decisions whose condition holds for `facts`."""
    return tuple(decision for decision in rollout.decisions if holds(decision.when, facts))


def with_decisions(rollout: Rollout, facts: Facts, answers: Mapping[str, str]) -> dict[str, str]:
    """`facts` with the answer, else the default, of every decision that applies."""
    merged = dict(facts)
    for decision in applicable_decisions(rollout, facts):
        answer = answers.get(decision.name, decision.default)
        if answer is not None:
            merged[decision.name] = answer
    return merged
