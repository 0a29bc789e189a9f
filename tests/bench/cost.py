"""What the engine itself costs: every step on empty tables, from connecting to done, beside psql with the guide."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import SecretStr

from tests.bench.ground import guide_by_psql, run
from tests.bench.table import milliseconds, table, times
from tests.bench.timing import Pair, in_turn
from tests.support.cluster import Cluster
from tests.support.database import Database
from tests.support.wire import wire_to
from wizard.db.target import Target
from wizard.engine.api import Engine
from wizard.engine.events import Event, PrerequisiteChecked, StepFinished, StepStarted
from wizard.engine.settings import Settings
from wizard.rollout.load import load_rollout

ROWS = 0
HEAD = ("", "from connecting to done", "beside psql", "requests", "of it answering", "of it the program")


@dataclass(frozen=True)
class Share:
    """One pass through a proxy that counts: slower than a direct one, by what the proxy takes."""

    requests: int
    answering_s: float
    elapsed_s: float

    @property
    def of_server(self) -> float:
        """The share of the time in which an answer was awaited from the server."""
        return self.answering_s / self.elapsed_s


Stages = dict[str, float]
"""What the engine was at -> seconds, in order."""


@dataclass(frozen=True)
class Cost:
    """Both, on one server."""

    where: str
    pair: Pair
    ours: Share
    theirs: Share
    stages: Stages
    """Of the median run."""


def cost(where: str, cluster: Cluster, runs: int) -> Cost:
    """Measures on a server; everything is imported before, and each run has a rollout that was just loaded."""
    runs_of_ours: list[Stages] = []
    start_up = statistics.median(_psql_start_up(cluster) for _ in range(runs))
    pair = in_turn(
        lambda: _on_new(cluster, lambda database: _engine(database.target(), runs_of_ours)),
        lambda: _on_new(cluster, lambda database: run(guide_by_psql(database, "-1")).seconds) - start_up,
        runs,
    )
    ours = [_counted(cluster, _through) for _ in range(3)]
    theirs = [_counted(cluster, lambda database, url: _psql_through(database, url) - start_up) for _ in range(3)]
    stages = sorted(runs_of_ours[1:], key=lambda one: sum(one.values()))[runs // 2]
    return Cost(where, pair, _middle(ours), _middle(theirs), stages)


def _on_new(cluster: Cluster, measure: Callable[[Database], float]) -> float:
    database = cluster.make_database(rows=ROWS)
    try:
        return measure(database)
    finally:
        cluster.drop(database)


def _engine(target: Target, stages: list[Stages] | None = None) -> float:
    """Seconds of a whole run in this process, connecting included; `stages` gets what they went into."""
    heard: list[tuple[float, Event]] = []
    settings = Settings(operator="bench@bench", strategy="auto")
    engine = Engine(target, load_rollout(), settings, lambda event: heard.append((time.perf_counter(), event)))
    gc.collect()
    began = time.perf_counter()
    outcome = engine.run()
    elapsed = time.perf_counter() - began
    if outcome.ending != "done":
        raise SystemExit(f"the run ended otherwise: {outcome.sentence}")
    if stages is not None:
        stages.append(_stages(began, elapsed, heard))
    return elapsed


def _stages(began: float, elapsed: float, heard: list[tuple[float, Event]]) -> Stages:
    """What the engine was at between any two of its events."""
    found = dict.fromkeys(
        ("connecting, looking", "prerequisites", "registry, intents", "parts", "checks", "verifying"), 0.0
    )
    stage, since = "connecting, looking", began
    for at, event in heard:
        following = _FOLLOWING.get(event.event, stage)
        if isinstance(event, StepStarted | StepFinished) and event.step == "V":
            following = "verifying"
        found["prerequisites" if isinstance(event, PrerequisiteChecked) else stage] += at - since
        stage, since = following, at
    found[stage] += began + elapsed - since
    return found


_FOLLOWING = {
    "prerequisite_checked": "registry, intents",
    "part_started": "parts",
    "part_committed": "checks",
    "step_finished": "registry, intents",
}
"""An event -> what the engine is at behind it."""


def _psql_start_up(cluster: Cluster) -> float:
    """Seconds that psql needs until it could connect: what is taken off its whole process."""
    return run([str(cluster.server.client_dir / "psql"), "--version"]).seconds


def _through(database: Database, url: str) -> float:
    return _engine(replace(database.target(), conninfo=SecretStr(url)))


def _psql_through(database: Database, url: str) -> float:
    command = guide_by_psql(database, "-1")
    command[command.index("-d") + 1] = url
    return run(command).seconds


def _counted(cluster: Cluster, measure: Callable[[Database, str], float]) -> Share:
    database = cluster.make_database(rows=ROWS)
    try:
        with wire_to(database) as (wire, url):
            elapsed = measure(database, url)
        return Share(wire.requests, wire.answering_s, elapsed)
    finally:
        cluster.drop(database)


def _middle(shares: list[Share]) -> Share:
    return sorted(shares, key=lambda share: share.elapsed_s)[len(shares) // 2]


def stage_table(found: list[Cost]) -> str:
    """Where the engine's own time goes: one line a server, milliseconds and shares."""
    head = ("rag-wizard", *found[0].stages)
    lines = []
    for one in found:
        whole = sum(one.stages.values())
        lines.append((one.where, *(f"{milliseconds(s)} ({s / whole:.0%})" for s in one.stages.values())))
    return table(head, lines)


def cost_table(found: list[Cost]) -> str:
    """Two lines a server."""
    rows = []
    for one in found:
        sides = (
            ("rag-wizard", one.pair.ours, one.ours, times(one.pair.ratio)),
            ("psql -1 -f", one.pair.theirs, one.theirs, "1"),
        )
        for who, seconds, share, ratio in sides:
            middle = statistics.median(seconds)
            server = middle * share.of_server
            rows.append(
                (
                    f"{who}, {one.where}", milliseconds(middle), ratio, str(share.requests),
                    milliseconds(server), milliseconds(middle - server),
                )
            )  # fmt: skip
    return table(HEAD, rows)
