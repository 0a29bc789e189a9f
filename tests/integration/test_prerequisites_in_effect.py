"""What a prerequisite warns of or stops for does happen on a real server where nobody listens, and not otherwise."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.engine.views import PrerequisiteResult
from wizard.errors import ExitCode, PrerequisiteError

ADMIN = "supabase_admin"
ROW = (
    "c1 uuid, c2 text, c3 text, c4 text, c5 text, c6 text, c7 boolean, c8 numeric, c9 jsonb, c10 timestamptz,"
    " c11 timestamptz"
)
"""The columns of clones, under names that no query of a function means."""

HISTORY = "create table history (like clones)"


def judged(database: Database, name: str) -> PrerequisiteResult:
    """One prerequisite as the engine judges it."""
    return next(result for result in Operator(database).engine.check() if result.id == name)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (
            f"gives(wanted text) returns table ({ROW}) language plpgsql as $$ begin"
            " return query select * from clones where category = wanted; end $$",
            errors.DatatypeMismatch,
        ),
        (
            f"gives(wanted text) returns table ({ROW}) language sql as $$"
            " Select distinct on (c.id) c.* from knowledge k join public.clones as c on c.id = k.clone_id $$",
            errors.InvalidFunctionDefinition,
        ),
        (
            "gives(wanted text) returns void language plpgsql as $$ begin"
            " insert into history select * from clones where category = wanted; end $$",
            errors.SyntaxError,
        ),
        (
            "gives(wanted text) returns void language sql as $$ with gone as"
            " (delete from clones where name = wanted returning *) insert into history select * from gone $$",
            errors.SyntaxError,
        ),
    ],
    ids=["return query", "returns table", "insert", "archive"],
)
def test_a_function_that_hands_on_whole_rows_is_named_and_fails_once_columns_are_added(
    database: Database, function: str, error: type[psycopg.Error]
) -> None:
    database.execute(f"{HISTORY}; create function {function}")
    database.query("select gives('legal')")

    result = judged(database, "whole-row-triggers")
    assert result.level == "warn"
    assert result.found.endswith("by * (1): public.gives(text)")
    assert "before step 2.1" in result.fix

    assert Operator(database).engine.run(last="2.1").ending == "done"
    with pytest.raises(error):
        database.query("select gives('legal')")


def test_a_function_that_keeps_working_with_new_columns_is_not_named(database: Database) -> None:
    bodies = {
        "whole": "returns setof clones language sql as $$ select * from clones $$",
        "fixed": f"returns table ({ROW}) language sql begin atomic select * from clones; end",
        "named": "returns table (a uuid) language sql as $$ select /* not select * from clones */ id from clones $$",
        "counted": "returns table (a bigint, b int) language sql as"
        " $$ select count(*), 2 * 3 from clones -- not select * from clones\n $$",
        "joined": "returns table (a int) language sql as"
        " $$ select o.* from other o join clones c on true where exists (select * from clones) $$",
        "inner": "returns table (a int) language sql as $$ select * from other where 1 in (select 1 from clones) $$",
        "elsewhere": "returns table (a int) language sql as $$ select * from reports.clones $$",
        "looped": "returns void language plpgsql as $$ declare r record; begin"
        " for r in select * from clones loop insert into history (id) values (r.id); end loop; end $$",
        "read": "returns void language plpgsql as $$ declare r clones; begin"
        " select * into r from clones limit 1; insert into clones select r.* returning * into r;"
        " exception when unique_violation then null; end $$",
    }
    database.execute(
        "create table history (id uuid); create table other (a int); create schema reports;"
        f" create table reports.clones (a int); {''.join(f'create function {n}() {b};' for n, b in bodies.items())}"
    )

    result = judged(database, "whole-row-triggers")
    assert (result.level, result.fix) == ("pass", "")
    assert "not looked into" in result.found

    assert Operator(database).engine.run(last="2.1").ending == "done"
    for name in bodies:
        database.query(f"select {name}()")


def test_of_many_functions_the_first_are_named_and_all_are_counted_but_those_of_extensions(database: Database) -> None:
    body = "returns table (a uuid) language plpgsql as 'begin return query select * from public.knowledge; end'"
    database.execute("; ".join(f"create function public.f{n}() {body}" for n in range(8)), user=ADMIN)
    database.execute("alter extension plpgsql add function public.f0()", user=ADMIN)

    found = judged(database, "whole-row-triggers").found

    assert found.endswith("(7): public.f1(), public.f2(), public.f3(), public.f4(), public.f5() and 2 more")


def test_both_columns_that_the_policies_read_have_to_be_readable(database: Database) -> None:
    database.execute("revoke select on clones from authenticated; grant select (id, name) on clones to authenticated")
    missing = "role authenticated may not read clones.creator_id, which"
    grant = "GRANT SELECT (creator_id) ON public.clones TO authenticated;"

    result = judged(database, "api-rights")
    assert result.level == "warn"
    assert missing in result.found
    assert grant in result.fix

    assert Operator(database).engine.run(last="4").ending == "done"
    with pytest.raises(errors.InsufficientPrivilege, match="clones"):
        read_as_a_user(database)
    database.execute(grant)
    assert read_as_a_user(database) == 0
    assert missing not in judged(database, "api-rights").found


def read_as_a_user(database: Database) -> int:
    """How many experts a signed-in user sees."""
    with database.connect(autocommit=False) as conn:
        conn.execute("set local role authenticated")
        row = conn.execute("select count(*) from experts").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize(
    ("variants", "setup", "table", "child"),
    [
        (["partitioned_clones"], "", "clones", "clones_p1"),
        (
            [],
            "create table old_pieces () inherits (knowledge); alter table old_pieces owner to postgres;"
            " create table older_pieces () inherits (old_pieces);",
            "knowledge",
            "older_pieces",
        ),
    ],
    ids=["a partition", "a child of a child"],
)
def test_a_table_of_another_role_below_the_applications_own_stops_the_run(
    make_database: MakeDatabase, variants: list[str], setup: str, table: str, child: str
) -> None:
    database = make_database(*variants)
    database.execute(
        "do $$ begin create role app_owner nologin; exception when duplicate_object then null; end $$;"
        f" set search_path = public; {setup} alter table {child} owner to app_owner",
        user=ADMIN,
    )
    with pytest.raises(errors.InsufficientPrivilege, match=f"must be owner of table {child}"):
        database.execute(f"alter table {table} add column further int")
    before = database.snapshot()

    result = judged(database, "app-tables")
    assert result.level == "stop"
    assert f"that belong to app_owner: public.{child}; this session is postgres" in result.found
    assert f"ALTER TABLE public.{child} OWNER TO postgres;" in result.fix
    with pytest.raises(PrerequisiteError) as stopped:
        Operator(database).engine.run()
    assert stopped.value.exit_code == ExitCode.PREREQUISITES
    assert_same(before, database.snapshot())

    database.execute(f"alter table public.{child} owner to postgres", user=ADMIN)
    assert judged(database, "app-tables").level != "stop"
    assert Operator(database).engine.run(last="2.2").ending == "done"
