"""A decision that came to be necessary while a rollout was under way: asked before its step runs, and not again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.blocking import holding
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.engine.state import StepState
from wizard.errors import ExitCode, PrerequisiteError, RefusedError, RolloutInvalidError, UsageError
from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

ADMIN = "supabase_admin"
ALWAYS = "alter table clones enable always trigger clones_changed"
PUBLISHED = (
    "set allow_system_table_mods = on; set search_path = public; alter publication supabase_realtime add table clones;"
    " update pg_class set reltuples = 20000 where oid = 'public.clones'::regclass"
)
LATER = [("backfill_witnesses", "act", ALWAYS, "6.1"), ("published_backfill", "send", PUBLISHED, "6.2")]
"""Decision, answer, what a developer did meanwhile, the step that asks."""
CALLED = "select count(*) from supabase_functions.hooks"
DECISIONS = "select decisions from rag_wizard.rollout"


@pytest.mark.parametrize(("name", "answer", "meanwhile", "step"), LATER, ids=lambda value: str(value)[:18])
def test_what_came_to_be_since_is_asked_before_its_step_runs(
    database: Database, name: str, answer: str, meanwhile: str, step: str
) -> None:
    assert Operator(database).engine.run(last="5").ending == "done"
    database.execute(meanwhile, user=ADMIN)
    before = database.snapshot()

    survey = Operator(database).engine.survey()
    assert [one.name for one in survey.open_decisions] == [name]
    assert [one.id for one in survey.steps if one.state is StepState.DECIDE] == [step]
    assert Operator(database).engine.dry_run().exit_code == ExitCode.PREREQUISITES
    with pytest.raises(PrerequisiteError, match=f"a decision is missing: {name}") as stopped:
        Operator(database).engine.run()
    assert f"--decide {name}={answer}" in stopped.value.fix
    assert stopped.value.exit_code == ExitCode.PREREQUISITES
    assert_same(before, database.snapshot())

    with pytest.raises(UsageError, match='"perhaps" is no answer'):
        Operator(database, decisions={name: "perhaps"}).engine.run()
    answered = Operator(database, decisions={name: answer})
    assert answered.engine.dry_run().exit_code == ExitCode.DONE
    assert answered.engine.survey().open_decisions == ()
    assert answered.engine.run().ending == "done"
    assert database.value(DECISIONS)[name] == answer
    assert database.value(CALLED) == (40 if name == "backfill_witnesses" else 0)
    later = Operator(database).engine.survey()
    assert later.open_decisions == ()
    told = {one.title for one in later.steps[-2].deviations}
    assert any("as the operator decided" in title or "is sent out" in title for title in told)
    with pytest.raises(RefusedError, match=f'"{answer}" in this rollout, not "perhaps"'):
        Operator(database, decisions={name: "perhaps"}).engine.run()


def test_a_decision_of_a_step_that_is_done_is_asked_for_the_one_that_is_left(database: Database) -> None:
    assert Operator(database).engine.run(last="6.1").ending == "done"
    database.execute(ALWAYS, user=ADMIN)

    survey = Operator(database).engine.survey()

    assert [one.id for one in survey.steps if one.state is StepState.DECIDE] == ["6.2"]
    with pytest.raises(PrerequisiteError, match="backfill_witnesses"):
        Operator(database).engine.run()
    assert database.value(CALLED) == 0


@pytest.mark.parametrize("strategy", ["atomic", "online"])
def test_a_column_that_the_rollout_made_itself_is_no_reason_to_ask(database: Database, strategy: str) -> None:
    """Published, and large: but 6.1 has nothing to send of a column that came with its default."""
    database.execute(PUBLISHED.replace("clones", "knowledge"), user=ADMIN)
    assert Operator(database, strategy=strategy).engine.run(last="2.2").ending == "done"

    assert Operator(database, strategy=strategy).engine.survey().open_decisions == ()
    assert Operator(database, strategy=strategy).engine.run().ending == "done"


def test_an_answer_holds_for_every_later_session(database: Database) -> None:
    Operator(database).engine.run(last="5")
    database.execute(ALWAYS, user=ADMIN)

    assert Operator(database, decisions={"backfill_witnesses": "act"}).engine.run(last="6.1").ending == "done"

    assert Operator(database).engine.run().ending == "done"
    assert database.value(CALLED) == 40


def test_what_needs_no_answer_any_more_is_not_asked(database: Database) -> None:
    Operator(database).engine.run()
    database.execute(ALWAYS, user=ADMIN)

    assert Operator(database).engine.survey().open_decisions == ()
    assert Operator(database).engine.run().ending == "done"
    answered = Operator(database, decisions={"backfill_witnesses": "act"})
    assert answered.engine.run().ending == "done"
    assert "backfill_witnesses" not in database.value(DECISIONS)


def test_a_backfill_that_is_asked_for_again_asks_too(database: Database) -> None:
    assert Operator(database, strategy="online").engine.run().ending == "done"
    database.execute(ALWAYS, user=ADMIN)
    database.execute("insert into clones (creator_id, name, category) values ('new', 'new', 'medical')")
    before, called = database.snapshot(), database.value(CALLED)

    with pytest.raises(PrerequisiteError, match="a decision is missing: backfill_witnesses"):
        Operator(database).engine.run(first="6.2", last="6.2")
    assert_same(before, database.snapshot())
    assert Operator(database).engine.dry_run(first="6.2", last="6.2").exit_code == ExitCode.PREREQUISITES

    answered = Operator(database, decisions={"backfill_witnesses": "act"})
    assert answered.engine.dry_run(first="6.2", last="6.2").exit_code == ExitCode.DONE
    assert answered.engine.run(first="6.2", last="6.2").ending == "done"
    assert database.value("select count(*) from clones where rag_domain_mapping is null") == 0
    assert database.value(CALLED) == called + 1
    assert Operator(database).engine.run(first="6.2", last="6.2").ending == "done"


HEADER = """
name = "odd"
title = "Odd"
minimum_server = 150000
steps = ["1", "2"]
facts = "facts.sql"

[[decision]]
name = "oddly"
step = "2"
question = "Go on, oddly?"
when = { state = "odd" }
options = [{ value = "yes", text = "go on" }]
"""
STEP = """
id = "{number}"
title = "Step"
label = "Step"
does = "makes a table"
why = "to have it"

[[deploy]]
sql = "deploy{number}.sql"

[[revert]]
sql = "revert{number}.sql"
"""


def _odd(folder: Path) -> Rollout:
    """Two steps; whether the second is asked about is read from a table that somebody may drop."""
    (folder / "steps").mkdir()
    (folder / "sql").mkdir()
    (folder / "steps" / "rollout.toml").write_text(HEADER)
    (folder / "sql" / "facts.sql").write_text("SELECT state FROM states")
    for number in (1, 2):
        (folder / "steps" / f"{number}.toml").write_text(STEP.format(number=number))
        (folder / "sql" / f"deploy{number}.sql").write_text(f"CREATE TABLE made{number} (a int)")
        (folder / "sql" / f"revert{number}.sql").write_text(f"DROP TABLE made{number}")
    return load_rollout(folder)


def test_facts_that_cannot_be_read_stop_a_run_and_no_rollback(database: Database, tmp_path: Path) -> None:
    database.execute("create table states as select 'even' as state")
    rollout = _odd(tmp_path)
    assert Operator(database, rollout).engine.run(last="1").ending == "done"
    database.execute("alter table states rename to former_states")

    with pytest.raises(RolloutInvalidError, match=r'facts\.sql.*"states" does not exist'):
        Operator(database, rollout).engine.run()
    assert Operator(database, rollout).states() == {"1": "done", "2": "todo"}
    assert database.value("select to_regclass('made2')::text") is None

    assert Operator(database, rollout).engine.rollback().ending == "done"
    assert database.value("select to_regclass('made1')::text") is None


def test_facts_that_somebody_keeps_locked_stop_a_run_and_no_rollback(database: Database, tmp_path: Path) -> None:
    database.execute("create table states as select 'even' as state")
    rollout = _odd(tmp_path)
    Operator(database, rollout).engine.run(last="1")

    with holding(database, "lock table states"):
        with pytest.raises(PrerequisiteError, match="could not be read"):
            Operator(database, rollout, lock_timeout_ms=50).engine.run()
        assert Operator(database, rollout, lock_timeout_ms=50).engine.rollback().ending == "done"
    assert database.value("select to_regclass('made1')::text") is None
