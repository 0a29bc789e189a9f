"""Faults from outside into the command, at every request that writes; then the same command again.

After each fault the database has to equal that of an undisturbed run, every effect exactly once. Three series: the
built-in rollout in strategy atomic; a small one in strategy online, with every kind of part, a row that somebody holds
and a trigger that notes each update; and the built-in one in strategy online, where the kinds of fault take turns.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.blocking import eventually
from tests.support.cluster import Cluster
from tests.support.database import SUPERUSER
from tests.support.faults import Ground, Kind, Series, beginning
from tests.support.folders import reachable_folder
from tests.support.forks import Forks
from tests.support.program import Program
from tests.support.series import SEED
from tests.support.shapes import THINGS

BATCHES = ("--batch-rows", "100")
SERIES = {
    "atomic": Series(),
    "things": Series(
        ("things",), options=("--rollout", str(THINGS), *BATCHES), forward=("--strategy", "online"),
        held="select from things where id = 7 for update",
    ),
    "online": Series(rows=240, options=BATCHES, forward=("--strategy", "online")),
}  # fmt: skip
LEAST = {
    ("atomic", "run"): 22, ("atomic", "rollback"): 22, ("things", "run"): 19, ("things", "rollback"): 19,
    ("online", "run"): 60, ("online", "rollback"): 54,
}  # fmt: skip
"""So many requests that write there are at least."""
DIRECTIONS = ("run", "rollback")
SHARES = 4
"""Pieces of the longest series, which several workers take."""
Grounds = dict[str, Ground]


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    """A server of these tests' own: they crash it."""
    cluster, forks = Cluster.start(os.environ.get("RAG_WIZARD_TEST_PG", "18")), Forks()
    with reachable_folder() as state_dir:
        yield {name: Ground(cluster, forks, state_dir, series) for name, series in SERIES.items()}
    forks.close()
    cluster.close()


def survive(grounds: Grounds, name: str, direction: str, faults: Callable[[int], Sequence[tuple[int, Kind]]]) -> None:
    """`faults` tells from the number of boundaries which of them are hit, with what."""
    ground = grounds[name]
    seen, _ = ground.undisturbed(direction)
    assert len(seen) >= LEAST[name, direction]
    chosen = faults(len(seen))
    hit = {ground.disturbed(direction, kind, number) for number, kind in chosen}
    missed = [beginning(seen[number]) for number, _ in chosen if number not in hit]
    print(f"{name}, {direction}: {len(chosen)} faults at {len(hit)} of {len(seen)} boundaries; missed: {missed}")
    assert not missed


@pytest.mark.parametrize(
    ("name", "direction", "kind"),
    [
        ("atomic", "rollback", Kind.CUT_ANSWERED),
        ("things", "run", Kind.CUT_DURING),
        ("things", "rollback", Kind.KILL_ANSWERED),
    ],
)
def test_a_sample_of_faults_is_survived(grounds: Grounds, name: str, direction: str, kind: Kind) -> None:
    """Each at one boundary, which is always the same."""
    chance = random.Random(f"{SEED} {name} {direction} {kind.name}")
    survive(grounds, name, direction, lambda count: [(chance.randrange(count), kind)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", ["atomic", "things"])
def test_every_fault_is_survived(grounds: Grounds, name: str, direction: str, kind: Kind) -> None:
    survive(grounds, name, direction, lambda count: [(number, kind) for number in range(count)])


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_fault_at_every_request_of_the_whole_rollout_online_is_survived(
    grounds: Grounds, direction: str, share: int
) -> None:
    kinds = list(Kind)
    survive(
        grounds,
        "online",
        direction,
        lambda count: [(number, kinds[number % len(kinds)]) for number in range(share, count, SHARES)],
    )


@pytest.mark.parametrize("invalid", [False, True], ids=["whole", "invalid"])
def test_an_index_that_nobody_saw_being_built_goes_with_a_rollback(grounds: Grounds, invalid: bool) -> None:
    """Its column was there before, so that it would not go with that."""
    ground = grounds["things"]
    seen, _ = ground.undisturbed("run")
    build = next(number for number, text in enumerate(seen) if text[5:].startswith("CREATE INDEX CONCURRENTLY"))
    database = ground.database("run")
    ground.killed("run", build, database)
    # Nobody waits for the server any more, but it goes on building.
    built = "select 1 from pg_index where indexrelid = to_regclass('idx_things_n') and indisvalid"
    eventually(lambda: database.query(built), "the index is built")
    if invalid:
        database.execute(
            "update pg_index set indisvalid = false where indexrelid = 'idx_things_n'::regclass", user=SUPERUSER
        )

    ended = ground.forks(Program.on(database, ground.state_dir), *ground.series.arguments("rollback"))

    assert ended.code == 0, ended.err
    assert database.query("select relname from pg_class where relname = 'idx_things_n'") == []
    ground.cluster.drop(database)
