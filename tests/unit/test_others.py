"""Whether others write beside a backfill, told from the transaction numbers that its own batches used."""

from __future__ import annotations

import pytest

from wizard.engine.sending.others import BUSY_A_SECOND, Others


def seen(*looks: tuple[float, int, int]) -> Others:
    others = Others()
    for look in looks:
        others.look(*look)
    return others


def after(*looks: tuple[float, int, int]) -> float:
    return seen(*looks).writing


def test_nothing_is_known_after_one_look() -> None:
    others = seen((10.0, 5_000_000_000, 40))
    assert others.writing == 0
    assert not others.none


def test_two_looks_tell_whether_there_is_anybody() -> None:
    assert seen((10.0, 700, 0), (12.0, 900, 200)).none
    assert not seen((10.0, 700, 0), (12.0, 1000, 200)).none


def test_the_numbers_of_its_own_batches_are_not_counted() -> None:
    assert after((10.0, 700, 0), (12.0, 900, 200)) == 0
    assert after((10.0, 700, 0), (12.0, 1000, 200)) == 50


def test_fewer_than_it_used_itself_are_none() -> None:
    assert after((10.0, 700, 0), (11.0, 705, 20)) == 0


@pytest.mark.parametrize(("number", "told"), [(BUSY_A_SECOND - 1, 0), (BUSY_A_SECOND, BUSY_A_SECOND)])
def test_the_housekeeping_of_a_server_is_nobody(number: float, told: float) -> None:
    assert after((10.0, 700, 0), (11.0, 700 + int(number), 0)) == told


def test_in_a_moment_one_number_may_be_our_own_heartbeat() -> None:
    assert after((10.0, 700, 0), (10.1, 701, 0)) == 0
    assert after((10.0, 700, 0), (10.1, 708, 0)) == pytest.approx(70)


def test_one_quiet_second_is_not_the_end() -> None:
    busy = ((10.0, 0, 0), (11.0, 80, 0), (12.0, 80, 0))
    assert after(*busy) == 40
    assert after(*busy, *((float(at), 80, 0) for at in range(13, 17))) == 0
