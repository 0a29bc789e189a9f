"""The tests' own tools: that a digest sees a change, that every variant is what it says, that a reader only reads."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.support.cluster import VARIANTS
from tests.support.database import Database, assert_same
from tests.support.guide import GUIDE, ROLLBACK, guide_steps
from tests.support.shapes import PHASE_1
from tests.support.starting import CONFLICTS, ROUND_TRIPS, UNMET

MakeDatabase = Callable[..., Database]

GUIDE_FAILS = {
    "creator_id_uuid": "operator does not exist: uuid = text",
    "category_enum": "function map_clone_category_to_domain(clone_category) does not exist",
    "bigint_ids": "incompatible types: uuid and bigint",
    "foreign_owner": "must be owner of table clones",
    "missing_auth": 'schema "auth" does not exist',
    "no_shared_function": "",
    "other_shared_function": "",
    "hostile_shared_function": "",
}


def test_no_variant_is_forgotten() -> None:
    met = {variant for start in (*ROUND_TRIPS, *UNMET, *CONFLICTS) for variant in start.variants}
    authored = {variant for variants, _ in PHASE_1 for variant in variants}

    # One is for a rollout of the tests' own.
    known = {"old_grants", *(path.stem for path in VARIANTS.glob("*.sql"))} - {"things"}
    assert known == set(GUIDE_FAILS) | met | authored


@pytest.mark.parametrize("variant", sorted(GUIDE_FAILS))
def test_the_guide_ends_on_each_variant_as_it_is_known_to(make_database: MakeDatabase, variant: str) -> None:
    done = make_database(variant).psql(GUIDE, check=False)
    if GUIDE_FAILS[variant]:
        assert done.returncode == 3
        assert GUIDE_FAILS[variant] in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_the_guide_has_a_block_for_each_step_with_sql() -> None:
    assert list(guide_steps()) == [*("1.1", "1.2", "1.3", "1.4", "1.5", "1.6"), *("2.1", "2.2", "3", "4", "6.1", "6.2")]


def test_two_clones_are_equal_until_one_row_or_one_object_differs(database: Database, twin: Database) -> None:
    assert_same(database.snapshot(), twin.snapshot())
    untouched = database.snapshot()
    database.execute("update knowledge set title = 'x' where id = (select id from knowledge order by id limit 1)")
    with pytest.raises(AssertionError, match=r"public\.knowledge"):
        assert_same(untouched, database.snapshot())
    assert_same(twin.snapshot(("title", "updated_at")), database.snapshot(("title", "updated_at")))
    twin.execute("create index extra on clones (name)")
    with pytest.raises(AssertionError, match="CREATE INDEX extra"):
        assert_same(untouched, twin.snapshot())


def test_a_moved_sequence_is_a_difference(database: Database) -> None:
    before = database.digest()
    database.execute("select nextval('supabase_functions.hooks_id_seq')", user="supabase_admin")
    changed = {name for name, value in database.digest().items() if before[name] != value}
    assert changed == {"supabase_functions.hooks_id_seq"}


def test_the_guides_own_rollback_aborts_on_the_shared_function(database: Database) -> None:
    database.psql(GUIDE)
    done = database.psql(ROLLBACK, single_transaction=True, check=False)
    assert done.returncode == 3
    assert "other objects depend on it" in done.stderr
    assert database.value("select to_regclass('domains')") is not None


def test_the_servers_log_gives_back_what_was_sent(database: Database) -> None:
    database.execute("select 'before'")
    database.log_statements()
    database.execute("select 1;\n\tselect 2")
    database.query("select %s::int", [3])
    database.execute("select 'other'", user="supabase_admin")
    assert database.logged() == ["select 1;\n\tselect 2", "select $1::int"]


def test_a_reader_reads_everything_and_writes_nothing(database: Database, readonly_user: str) -> None:
    assert database.query("select current_user", user=readonly_user) == [(readonly_user,)]
    assert database.value("select count(*) from pg_class", user=readonly_user) > 0
    assert database.target(readonly_user).user == readonly_user
    for statement in ("create table t ()", "update clones set bio = bio", "create schema s"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(statement, user=readonly_user)
