"""Keeps the composed messages of one sitting, so that what was shown is, to the letter, what is sent."""

from __future__ import annotations

from collections.abc import Collection
from uuid import uuid4

from psycopg import sql

from wizard.engine.looking.situation import Situation
from wizard.engine.parts.guard import Makes, everything, guards_of
from wizard.engine.parts.message import behind_leftovers, compose, recomposed
from wizard.engine.parts.source import PartMessage, PartSettings, PartSource
from wizard.engine.session.record import PartRecord
from wizard.engine.settings import Settings
from wizard.rollout.model import Rollout
from wizard.rollout.render import Group, Mode, Part, RenderedStep, Strategy
from wizard.rollout.shape import Item, ItemKind
from wizard.rollout.statements import Statement

PRACTICE = sql.SQL(
    "DO $practice$\nBEGIN\n"
    "    RAISE EXCEPTION {message} USING ERRCODE = 'RW999',\n"
    "        DETAIL = {detail},\n"
    "        HINT = 'It fails once: retry, roll back, or stop and resume later.';\nEND\n$practice$"
)


def _practice(step: str) -> str:
    detail = f"Asked for with --fail-at {step}; the step's own statements before it had succeeded."
    return PRACTICE.format(message=f"practice failure in step {step}", detail=detail).as_string()


class Composer:
    """Composes parts for one sitting; a part's message is kept until it was used."""

    def __init__(self, rollout: Rollout, settings: Settings) -> None:
        self.rollout = rollout
        self.settings = settings
        self.session_id = str(uuid4())
        self._new_rollout = str(uuid4())
        self._kept: dict[tuple[PartSource, str], PartMessage] = {}
        self._failed_once = False

    def rollout_id(self, situation: Situation) -> str:
        """The active rollout's id, else the one that the next rollout will have."""
        if situation.record is not None and situation.record.rollout_id == self._new_rollout:
            # Recorded, so it is used up, whoever ends that rollout: the next one needs an id of its own.
            self._new_rollout = str(uuid4())
        return situation.active.rollout_id if situation.active is not None else self._new_rollout

    def deploy(self, situation: Situation, rendered: RenderedStep, part: int, *, registry: bool = True) -> PartMessage:
        """The message of a part on the way forward; `part` counts from 1."""
        source = self._source(rendered, part)
        if not registry:
            return self._compose(source, situation, registry=False)
        return self._keep(source, situation)

    def revert(self, situation: Situation, source: PartSource) -> PartMessage:
        """The message of a part on the way back."""
        return self._keep(source, situation)

    def _keep(self, source: PartSource, situation: Situation) -> PartMessage:
        key = (source, self.rollout_id(situation))
        if key not in self._kept:
            self._kept[key] = self._compose(source, situation)
        return self._kept[key]

    def next_sent(self, situation: Situation, message: PartMessage, attempt: PartRecord | None) -> PartMessage:
        """What is sent when `message` is asked for: an attempt whose batches are committed goes on in place of it."""
        if attempt is None or message.source.mode is not Mode.BATCHES:
            return message
        return self.going_on(situation, message, attempt.part_id)

    def going_on(self, situation: Situation, message: PartMessage, part_id: str) -> PartMessage:
        """The batches of an attempt that was interrupted, or is done, under its own id."""
        return recomposed(message, part_id, self._part_settings(situation), self.session_id)

    def behind_leftovers(self, situation: Situation, message: PartMessage, leftovers: Collection[Item]) -> PartMessage:
        """The next try of a part outside of a transaction, which drops these indexes before it builds them."""
        return behind_leftovers(message, self._part_settings(situation), leftovers)

    def used(self, message: PartMessage) -> None:
        """The message is about to be sent: another attempt gets a part id of its own."""
        self._kept = {key: kept for key, kept in self._kept.items() if kept is not message}

    def failed(self, step: str) -> None:
        """The step failed; a practice failure happens only once."""
        if step == self.settings.fail_at:
            self._failed_once = True

    def _compose(self, source: PartSource, situation: Situation, *, registry: bool = True) -> PartMessage:
        return compose(
            source,
            self._part_settings(situation),
            session_id=self.session_id,
            rollout_id=self.rollout_id(situation),
            registry=registry,
        )

    def _part_settings(self, situation: Situation) -> PartSettings:
        timeout = self.settings.lock_timeout_ms
        # A wait of at most a quarter of deadlock_timeout is over before the server looks for a deadlock: rule 13.
        row = min(timeout, situation.server["deadlock_timeout_ms"] // 4)
        return PartSettings(self.settings.schema, timeout, situation.server["version_num"], max(row, 1))

    def _source(self, rendered: RenderedStep, part: int) -> PartSource:
        step = rendered.step
        if not rendered.parts:
            return PartSource(step.id, 1, "deploy", step.title, rendered.digest, ())
        made = rendered.parts[part - 1]
        deploy = made.deploy
        if step.id == self.settings.fail_at and not self._failed_once and part == _last_transaction(rendered):
            deploy = (*deploy, Group((Statement(_practice(step.id), "do_stmt"),)))
        return PartSource(
            step.id, part, "deploy", made.title, rendered.digest, deploy, made.revert,
            guards_of(step, _maker(rendered, made)), objects=_objects(made),
            one_message=step.takes_strong_lock or rendered.choice.strategy is Strategy.ONLINE or _adds_to_adopted(made),
            mode=made.mode, patient=made.patient, strategy=rendered.choice.strategy.value,
        )  # fmt: skip


def _last_transaction(rendered: RenderedStep) -> int:
    """The part whose end a practice failure can be put at; 0 if there is none."""
    return max((n for n, part in enumerate(rendered.parts, 1) if part.mode is Mode.TRANSACTION), default=0)


def _adds_to_adopted(part: Part) -> bool:
    """It makes something on a table that was there before, of which the step says that it makes it: it locks it."""
    adopted = {item.table for item in part.adopted if item.kind is ItemKind.TABLE}
    return any(item.table in adopted for item in part.made)


def _maker(rendered: RenderedStep, part: Part) -> Makes:
    """What the part makes is known where shapes.json knows its statements; else all that the step declares."""
    if not (part.made or part.adopted) and len(rendered.parts) == 1:
        return everything
    made = {(item.kind, item.table, item.name if item.kind is ItemKind.COLUMN else "") for item in part.made}

    def makes(table: str, column: str) -> bool:
        return (ItemKind.COLUMN if column else ItemKind.TABLE, table, column) in made

    return makes


def _objects(part: Part) -> tuple[tuple[str, Item], ...]:
    origins = (("made", part.made), ("adopted", part.adopted), ("replaced", part.replaced))
    return tuple((origin, item) for origin, items in origins for item in items)
