"""An engine on a test database, with everything it reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tests.support.database import Database
from wizard.engine.api import Engine
from wizard.engine.events import Event, PartStarted, StepFinished
from wizard.engine.settings import Settings
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

E = TypeVar("E", bound=Event)


class Operator:
    """One operator at one database: an engine and the events it sent."""

    def __init__(
        self, database: Database, rollout: Rollout | None = None, *, user: str = "postgres", **settings: Any
    ) -> None:
        self.events: list[Event] = []
        self._also: Callable[[Event], None] = lambda _: None
        chosen = replace(Settings(operator="ada@workstation", lock_patience_s=5.0), **settings)
        self.engine = Engine(database.target(user), rollout or load_rollout(), chosen, self._heard)

    def _heard(self, event: Event) -> None:
        self.events.append(event)
        self._also(event)

    def listen(self, also: Callable[[Event], None]) -> None:
        """Calls `also` for every event from now on, in the engine's thread: the place to interfere."""
        self._also = also

    def told(self, kind: type[E]) -> list[E]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def states(self) -> dict[str, str]:
        """Step id to the stable name of its recorded state."""
        return {step.id: step.state.value for step in self.engine.survey().steps}


def at_start_of(operator: Operator, step: str, database: Database, *statements: str) -> None:
    """Once the rollback of `step` is about to be sent, somebody else writes."""

    def write(event: Event) -> None:
        if isinstance(event, PartStarted) and event.step == step and event.direction == "revert":
            for statement in statements:
                database.execute(statement)

    operator.listen(write)


def stopped_behind(operator: Operator, step: str) -> None:
    """Rolls everything back, and stops once `step` is rolled back."""

    def stop(event: Event) -> None:
        if isinstance(event, StepFinished) and (event.step, event.direction) == (step, "revert"):
            operator.engine.stop()

    operator.listen(stop)
    assert operator.engine.rollback().ending == "stopped"
    operator.listen(lambda _: None)
