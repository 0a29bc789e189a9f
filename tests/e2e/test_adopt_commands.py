"""What is there already, as the commands tell it: adopted objects, and conflicts with both definitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.program import Program
from tests.support.starting import guide_statements, paste
from wizard.errors import ExitCode

FOUND, EXPECTED = "is        rag_enabled integer DEFAULT 0 NOT NULL", "expected  rag_enabled boolean DEFAULT false"
SENTENCE = "CONFLICT in 2.1: 1 object differs. Nothing was changed on acme-test"


def in_order(text: str, *words: str) -> bool:
    """The words stand in the text in this order."""
    at = -1
    for word in words:
        at = text.find(word, at + 1)
        if at < 0:
            return False
    return True


def test_check_and_run_stop_at_a_conflict_and_show_both_definitions_one_below_the_other(
    make_database: MakeDatabase, state_dir: Path
) -> None:
    database = make_database("other_column_type")
    before = database.snapshot()
    wizard = Program.on(database, state_dir)

    checked, ran = wizard("check"), wizard("run", "--yes")

    assert (checked.code, ran.code) == (ExitCode.REFUSED, ExitCode.REFUSED)
    for text in (checked.out, ran.err):
        assert in_order(text, "column clones.rag_enabled (step 2.1)", FOUND, EXPECTED), text
    assert "Rename it, change it to what is expected (then it is adopted), or drop it" in checked.out
    assert in_order(ran.err, "Nothing was changed.", "The wizard never overwrites it.", f"State      {SENTENCE}")
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_every_other_command_names_a_conflict_too(make_database: MakeDatabase, state_dir: Path) -> None:
    database = make_database("other_column_type")
    before = database.snapshot()
    wizard = Program.on(database, state_dir)

    status, dry, plan = wizard("status"), wizard("run", "--dry-run"), wizard("plan", "-o", str(state_dir / "plan.sql"))

    assert (status.code, dry.code, plan.code) == (ExitCode.DONE, ExitCode.REFUSED, ExitCode.REFUSED)
    assert "≠ 2.1  conflict  Add RAG columns to clones" in status.out
    assert "differs: column clones.rag_enabled" in status.out
    assert SENTENCE in status.out
    assert status.err.rstrip().endswith(" check")
    assert in_order(dry.out, "column clones.rag_enabled (step 2.1)", FOUND, EXPECTED, "≠ 2.1", "conflict")
    assert in_order(plan.err, "conflict: different: column clones.rag_enabled", FOUND, EXPECTED)
    assert not (state_dir / "plan.sql").exists(), "a script that would stop half way is not written"
    assert_same(before, database.snapshot())


@pytest.mark.slow
def test_conflicts_are_data_in_json(make_database: MakeDatabase, state_dir: Path) -> None:
    wizard = Program.on(make_database("other_column_type"), state_dir)
    conflict = {
        "step": "2.1",
        "words": "column clones.rag_enabled",
        "expected": "rag_enabled boolean DEFAULT false",
        "found": "rag_enabled integer DEFAULT 0 NOT NULL",
    }

    check, status, dry = (wizard(*words.split(), "--json").document for words in ("check", "status", "run --dry-run"))

    assert check["conflicts"] == [conflict]
    assert check["met"] is False
    for steps in (status["steps"], dry["would_run"]):
        assert {step["id"]: step["conflicts"] for step in steps if step["conflicts"]} == {"2.1": [conflict]}
    assert dry["exit_code"] == ExitCode.REFUSED
    *_, refused = wizard("run", "--yes", "--json").lines
    assert refused["error"]["exit_code"] == ExitCode.REFUSED
    assert in_order(refused["error"]["why"], FOUND, EXPECTED)


@pytest.mark.slow
def test_what_is_there_is_told_before_while_and_after_it_is_adopted(database: Database, state_dir: Path) -> None:
    paste(database, [*guide_statements("1.1"), *guide_statements("1.2")[:1]])
    database.execute("alter table domains enable row level security")
    wizard = Program.on(database, state_dir)

    dry, ran, status = wizard("run", "--dry-run"), wizard("run", "--yes", "--to", "1.2"), wizard("status")

    assert in_order(
        dry.out, "≡ 1.1", "adopts", "all 18 objects are there already", "▷ 1.2", "12 of 14 objects are there"
    )
    assert ran.code == ExitCode.DONE, ran.err
    assert "objects there already, exactly as expected: adopted" in ran.err
    assert in_order(ran.err, "≡ 1.1  Domains table", "adopted", " checks", "✔ 1.2  Experts table", "done")
    assert in_order(
        status.out, "≡ 1.1  adopted", "all 18 objects were there before", "✔ 1.2  done", "12 of 14 objects were"
    )


@pytest.mark.slow
def test_check_plan_and_json_tell_what_is_there(database: Database, state_dir: Path) -> None:
    paste(database, [*guide_statements("1.1"), "alter table domains enable row level security"])
    wizard = Program.on(database, state_dir)

    check, plan = wizard("check"), wizard("plan")

    assert (check.code, plan.code) == (ExitCode.DONE, ExitCode.DONE)
    assert in_order(check.out, "There already", "1.1", "all 18 objects are there already: to be adopted")
    assert in_order(
        plan.err, "There already, so the script does not make it again:", "all 18 objects are there already"
    )
    assert "CREATE TABLE domains" not in plan.out
    for command in ("check", "plan"):
        objects = wizard(command, "--json").document["objects"]
        assert {one["origin"] for one in objects["1.1"]} == {"adopted"}
        assert {one["origin"] for one in objects["1.2"]} == {"made"}
    assert wizard("run", "--yes", "--to", "1.1").code == ExitCode.DONE
    step = next(one for one in wizard("status", "--json").document["steps"] if one["id"] == "1.1")
    assert step["state"] == "adopted"
    assert {"words": "table domains", "origin": "adopted"} in step["objects"]
