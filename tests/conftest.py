"""Fixtures for tests on a real PostgreSQL; what they hand out is written in tests/support/.

    database        a fresh clone of the CloneAI database for this test (40 clones, today's default privileges).
                    .conninfo(user="postgres") .admin_conninfo() .url() .target() .password
                    .connect() .query() .value() .execute()
                    .psql(text_or_path, user=..., single_transaction=..., check=...)   the real psql
                    .dump() .digest(exclude=...) .snapshot(exclude=...)                compare with assert_same(a, b)
                    .log_statements() then .logged()                                   what the server was really sent
    twin            a second clone of the same template, to run the guide's own SQL on
    make_database   make_database("creator_id_uuid", rows=40): any variants of tests/support/variants/ and
                    "old_grants", in order; every database it made is dropped after the test
    readonly_user   name of a login role that may only read, for .conninfo(user=...) and .target(user=...)
    cluster         the server itself (session): .server, .version, .make_database(), .drop(), .admin
    state_dir       an empty folder for --state-dir that also the account running a demo server can reach

From tests.support.database: assert_same, make_readonly_role, Snapshot. From tests.support.guide: GUIDE, ROLLBACK (files
for psql), guide_step("1.1"). RAG_WIZARD_TEST_PG=15|17|18 chooses the server (default 18, from the wheel of the extra
`demo`; tests/support/matrix.sh fetches the others). Each xdist worker has its own server; it ends with the run.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cluster import DEFAULT_ROWS, Cluster
from tests.support.database import Database, make_readonly_role
from tests.support.folders import reachable_folder

MakeDatabase = Callable[..., Database]

pytest_plugins = ("tests.support.noskip",)

for _name in [*os.environ]:
    # What a developer or a CI has set for other purposes would decide what is tested.
    if _name.startswith("PG") or _name in {"DATABASE_URL", "RAG_WIZARD_ENV", "FORCE_COLOR", "NO_COLOR"}:
        del os.environ[_name]
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores it, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.umask(0o022)  # what a server of another account has to read is written with this
# A slow machine is no fault of the code, and a run that finds something finds it again.
settings.register_profile("project", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running test server."""
    running = Cluster.start(os.environ.get("RAG_WIZARD_TEST_PG", "18"))
    yield running
    running.close()


@pytest.fixture
def make_database(cluster: Cluster) -> Iterator[MakeDatabase]:
    """A factory of databases that last as long as the test."""
    made: list[Database] = []

    def make(*variants: str, rows: int = DEFAULT_ROWS) -> Database:
        made.append(cluster.make_database(*variants, rows=rows))
        return made[-1]

    yield make
    for database in made:
        cluster.drop(database)


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """A fresh CloneAI database."""
    return make_database()


@pytest.fixture
def twin(make_database: MakeDatabase) -> Database:
    """Another one, equal to `database` in every row."""
    return make_database()


@pytest.fixture
def readonly_user(cluster: Cluster) -> str:
    """A login role that may only read."""
    return make_readonly_role(cluster.admin)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """An empty state folder. pytest's own tmp_path is closed to the account that runs a server under root."""
    with reachable_folder() as folder:
        yield folder
