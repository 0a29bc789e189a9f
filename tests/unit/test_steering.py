"""What another thread asks of an engine: heard also between two requests, and where the server cannot be reached."""

from __future__ import annotations

from typing import Any, cast

import psycopg
import pytest

from wizard.engine.steering import CancelledError, Steering


class Way:
    """A connection, of which only the way to cancel is there."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.cancels = 0
        self._fault = fault

    def cancel_safe(self, *, timeout: float) -> None:
        assert timeout > 0
        self.cancels += 1
        if self._fault is not None:
            raise self._fault


def test_a_cancel_where_the_network_is_gone_raises_nothing_and_is_asked_for_all_the_same() -> None:
    steering, way = Steering(), Way(psycopg.OperationalError("no route to host"))

    with steering.cancellable(cast("Any", way)):
        steering.cancel()

    assert (way.cancels, steering.cancelled, steering.wait(0)) == (1, True, True)


def test_a_cancel_between_two_requests_keeps_the_next_one_from_being_sent() -> None:
    steering, way = Steering(), Way()
    steering.cancel()

    with pytest.raises(CancelledError), steering.cancellable(cast("Any", way)):
        pytest.fail("it was sent")

    steering.forget()
    with steering.cancellable(cast("Any", way)):
        steering.look()
    assert way.cancels == 0


def test_what_follows_a_look_that_found_a_cancel_is_not_interrupted() -> None:
    steering, way = Steering(), Way()

    with pytest.raises(CancelledError), steering.cancellable(cast("Any", way)):
        steering.cancelled = True
        try:
            steering.look()
        finally:
            steering.cancel()

    assert way.cancels == 0


def test_tidying_up_is_sent_after_a_cancel_and_can_be_interrupted() -> None:
    steering, way = Steering(), Way()
    steering.cancel()

    with steering.tidying(), steering.cancellable(cast("Any", way)):
        steering.look()
        steering.cancel()

    assert way.cancels == 1
