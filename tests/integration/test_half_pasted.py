"""Whatever part of the guide somebody pasted before: the wizard ends verified, or refuses and has changed nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.support.cluster import Cluster
from tests.support.database import Database, assert_same
from tests.support.starting import Start, free_to_change, guide_statements, untouchable
from wizard.errors import ExitCode, RefusedError

STATEMENTS = guide_statements()

PLACES = st.integers(0, len(STATEMENTS) - 1)

SUBSETS = st.one_of(
    st.integers(1, len(STATEMENTS)).map(lambda end: frozenset(range(end))),
    st.sets(PLACES, max_size=8).map(lambda left_out: frozenset(range(len(STATEMENTS))) - left_out),
    st.frozensets(PLACES, min_size=1),
)
"""Which of the guide's statements were pasted: all up to one, all but a few, or any."""

EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    database=None,
    # Smaller failing subsets are not searched for: each try is a rollout. The note names the statements.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(EXAMPLES, max_examples=4)
@given(pasted=SUBSETS, old_grants=st.booleans())
def test_a_half_pasted_guide_ends_verified_or_refused(
    cluster: Cluster, pasted: frozenset[int], old_grants: bool
) -> None:
    _roll_out(cluster, pasted, old_grants=old_grants)


@pytest.mark.slow
@settings(EXAMPLES, max_examples=40)
@given(pasted=SUBSETS, old_grants=st.booleans())
def test_every_half_pasted_guide_ends_verified_or_refused(
    cluster: Cluster, pasted: frozenset[int], old_grants: bool
) -> None:
    _roll_out(cluster, pasted, old_grants=old_grants)


def _roll_out(cluster: Cluster, pasted: frozenset[int], *, old_grants: bool) -> None:
    statements = tuple(text for place, text in enumerate(STATEMENTS) if place in pasted)
    note("pasted:\n" + "\n".join(f"  {text.splitlines()[0]}" for text in statements))
    start = Start("half pasted", variants=("old_grants",) if old_grants else (), pasted=statements)
    database = start.make(cluster.make_database)
    try:
        _ends_verified_or_refused(start, database)
    finally:
        cluster.drop(database)


def _ends_verified_or_refused(start: Start, database: Database) -> None:
    before = database.snapshot()
    changeable = free_to_change(database, start.schema)
    kept = untouchable(database, start.schema, changeable)
    operator = start.operator(database)
    foreseen = operator.engine.dry_run().exit_code

    try:
        outcome = operator.engine.run()
    except RefusedError:
        assert foreseen == ExitCode.REFUSED
        assert database.value("select to_regnamespace('rag_wizard') is null")
        assert_same(before, database.snapshot())
        return

    assert foreseen == ExitCode.DONE
    assert outcome.ending == "done", outcome
    assert outcome.verification is not None
    assert outcome.verification.passed
    assert untouchable(database, start.schema, changeable) == kept
    assert operator.engine.rollback().ending == "done"
    operator.engine.forget()
    assert_same(before, database.snapshot())
