"""At no moment of run or rollback can `anon` read or write one of the six tables, whatever the default grants are."""

from __future__ import annotations

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.guide import guide_step
from tests.support.polling import COMMANDS, RAG_TABLES, AnonWatch, Outcome, State
from tests.support.series import sampled

STEPS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3", "4", "6.1", "6.2")
STATES: tuple[State, ...] = ("absent", "no policy", "policy")
ROW_COMMANDS = ("select", "insert", "update", "delete")
"""What row level security rules, and all that Supabase's API has words for."""

CLOSED = "alter default privileges for role postgres in schema public revoke truncate on tables from anon"
"""The line with which a database's owner keeps tables to come from being truncated by `anon`."""


def journey(watch: AnonWatch, *, back_to: tuple[str, ...] = (), fail_at: str = "", last: str | None = None) -> None:
    """Forward, or to the failure; back to each of the steps and forward again; back to the start."""
    operator = Operator(watch.database, fail_at=fail_at)
    operator.listen(watch.hear)
    watch.look(rounds=5)
    assert operator.engine.run(last=last).ending == ("failed" if fail_at else "done")
    watch.look(rounds=5)
    for step in back_to:
        assert operator.engine.rollback(to=step, discard_data=True).ending == "done"
        assert operator.engine.run(last=last).ending == "done"
    assert operator.engine.rollback(discard_data=True).ending == "done"
    watch.look(rounds=5)


def assert_it_got_at_nothing(watch: AnonWatch) -> None:
    assert not watch.reached, "\n".join(f"after {after}: {attempt}" for after, attempt in watch.reached[:10])
    assert watch.rounds > len(watch.open), "it only looked while the engine stood still"


def assert_it_was_awake(watch: AnonWatch) -> None:
    """It tried each command on each table in each state, again and again."""
    often = dict.fromkeys(((t, s, c) for t in RAG_TABLES for s in STATES for c in COMMANDS), 0)
    for (table, state, command, _), times in watch.tried.items():
        often[table, state, command] += times
    assert min(often.values()) >= 5, often
    assert watch.sending > 0, "it never tried while a part was being sent"


def outcomes(watch: AnonWatch, *commands: str) -> dict[tuple[State, str], set[Outcome]]:
    """What each command came to in each state, over all tables."""
    found: dict[tuple[State, str], set[Outcome]] = {}
    for _, state, command, outcome in watch.tried:
        if command in commands:
            found.setdefault((state, command), set()).add(outcome)
    return found


def expected(**present: Outcome) -> dict[tuple[State, str], set[Outcome]]:
    """No table before and after; while there is one, with policies or without, the outcome of each command."""
    return {(s, c): {"absent" if s == "absent" else outcome} for s in STATES for c, outcome in present.items()}


OLD_GRANTS = expected(select="nothing", insert="denied", update="nothing", delete="nothing")
"""With every right given, row level security shows no row and refuses new ones."""


def rights(database: Database, table: str) -> set[str]:
    """What `anon` may do with a table."""
    return {
        right
        for (right,) in database.query(
            "select a.privilege_type from pg_class c, aclexplode(c.relacl) a"
            " where c.oid = %s::regclass and a.grantee in (0, 'anon'::regrole)",
            [f"public.{table}"],
        )
    }


def test_anon_gets_at_no_table_throughout_a_run_and_its_rollback(make_database: MakeDatabase) -> None:
    """Supabase's old default grants give `anon` every right on a new table: row level security alone stands there."""
    with AnonWatch(make_database("old_grants")) as watch:
        journey(watch, back_to=("1.4",), last="4")

    assert_it_got_at_nothing(watch)
    assert_it_was_awake(watch)
    assert outcomes(watch, *ROW_COMMANDS) == OLD_GRANTS


@pytest.mark.parametrize("last", ["1.2", pytest.param(None, marks=pytest.mark.slow)])
def test_truncating_is_a_right_that_only_the_default_grants_give(make_database: MakeDatabase, last: str | None) -> None:
    """Row level security has no say in TRUNCATE. Without that default grant no command of `anon` ever gets through."""
    database = make_database("old_grants")
    database.execute(CLOSED)

    with AnonWatch(database) as watch:
        journey(watch, last=last)

    assert_it_got_at_nothing(watch)
    assert not watch.truncated
    assert outcomes(watch, "truncate").items() <= expected(truncate="denied").items()


@pytest.mark.parametrize("variants", [("old_grants",), ()])
def test_the_rollout_gives_anon_no_right_and_takes_none(make_database: MakeDatabase, variants: tuple[str, ...]) -> None:
    """What `anon` may do with the six tables is what it may do with any table that this role makes here."""
    database = make_database(*variants)
    Operator(database).engine.run(last="4")
    database.execute("create table any_table (id int)")

    given = rights(database, "any_table")

    assert ("TRUNCATE" in given, "SELECT" in given) == (True, bool(variants))
    assert {table: rights(database, table) for table in RAG_TABLES} == dict.fromkeys(RAG_TABLES, given)


@pytest.mark.slow
def test_with_todays_default_grants_every_command_is_denied(database: Database) -> None:
    with AnonWatch(database) as watch:
        journey(watch, back_to=("3",))

    assert_it_got_at_nothing(watch)
    assert_it_was_awake(watch)
    assert outcomes(watch, *ROW_COMMANDS) == expected(
        select="denied", insert="denied", update="denied", delete="denied"
    )


@pytest.mark.slow
@pytest.mark.parametrize("creator", ["text", "uuid"])
def test_anon_gets_at_no_table_while_rolling_back_to_each_step_and_forward_again(
    make_database: MakeDatabase, creator: str
) -> None:
    variants = ("old_grants", "creator_id_uuid") if creator == "uuid" else ("old_grants",)
    with AnonWatch(make_database(*variants)) as watch:
        journey(watch, back_to=tuple(reversed(STEPS[:-1])))

    assert_it_got_at_nothing(watch)
    assert_it_was_awake(watch)
    assert outcomes(watch, *ROW_COMMANDS) == OLD_GRANTS


@pytest.mark.parametrize("step", sampled(STEPS, 1))
def test_anon_gets_at_no_table_after_a_failure_and_its_rollback(make_database: MakeDatabase, step: str) -> None:
    with AnonWatch(make_database("old_grants")) as watch:
        journey(watch, fail_at=step)

    assert_it_got_at_nothing(watch)
    assert outcomes(watch, *ROW_COMMANDS).items() <= OLD_GRANTS.items()
    failed = {state for _, state, *_ in watch.tried}
    assert failed == set(STATES[: 1 if step == "1.1" else 3 if step in {"6.1", "6.2"} else 2])


def test_the_watch_sees_what_the_guides_own_sql_lays_open(make_database: MakeDatabase) -> None:
    """Proof that it can see: the guide switches row level security on in step 4 only, so until then all is open."""
    database = make_database("old_grants")
    database.psql("".join(guide_step(step) for step in STEPS[:6]))
    with AnonWatch(database) as watch:
        watch.look()
        seen = {(attempt.table, attempt.command) for _, attempt in watch.reached}

    assert seen == {(table, command) for table in RAG_TABLES for command in ROW_COMMANDS}
    assert set(watch.truncated) == set(RAG_TABLES)
    assert database.value("select count(*) from domains") == 9, "it must leave every row where it is"


@pytest.mark.parametrize("pasted", [3, pytest.param(6, marks=pytest.mark.slow)])
def test_a_table_that_was_open_before_is_closed_from_its_own_step_on(make_database: MakeDatabase, pasted: int) -> None:
    """Somebody pasted the guide's tables: open, until their step adds the row level security that they lack."""
    database = make_database("old_grants")
    database.psql("".join(guide_step(step) for step in STEPS[:pasted]))
    before = dict(zip(STEPS, list(RAG_TABLES)[:pasted], strict=False))

    with AnonWatch(database) as watch:
        journey(watch, last="4")

    assert watch.open[0] == ("start", set(before.values()))
    standing: set[str] = set()
    for after, found in watch.open:
        direction, _, step = after.partition(" ")
        standing = standing | {step} if direction == "deploy" else standing - {step}
        assert found <= {table for own, table in before.items() if own not in standing}, after
    assert not set().union(*(found for after, found in watch.open if after == "deploy 4"))
