"""Every command as a process of its own on a real database: what it prints, what it changes, how it exits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from tests.support.program import Program
from wizard.errors import ExitCode
from wizard.rollout.load import load_rollout

TINY = Path(__file__).parents[1] / "rollouts" / "tiny"


def test_from_nothing_to_verified_and_back_to_the_very_start(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    before = database.snapshot()

    first = wizard("run", "--yes")
    again = wizard("run", "--yes")

    assert (first.code, again.code) == (ExitCode.DONE, ExitCode.DONE), first.err + again.err
    assert "FINISHED and verified: 8 of 9 criteria" in first.err
    assert "Nothing had to be changed" in again.err
    assert wizard("status", "--exit-code").code == ExitCode.DONE
    assert wizard("verify").code == ExitCode.DONE

    back, forgotten = wizard("rollback", "--yes"), wizard("forget", "--yes")

    assert (back.code, forgotten.code) == (ExitCode.DONE, ExitCode.DONE), back.err + forgotten.err
    assert_same(before, database.snapshot())
    saved = re.search(r"Log saved: (\S+\.sql)", forgotten.err)
    assert saved
    assert "CREATE TABLE domains" in Path(saved[1]).read_text()


@pytest.mark.slow
def test_reading_commands_change_nothing_also_for_a_role_that_may_only_read(
    database: Database, state_dir: Path, readonly_user: str
) -> None:
    before = database.snapshot()

    for user in ("postgres", readonly_user):
        wizard = Program.on(database, state_dir, user=user)
        codes = {
            command: wizard(*command.split()).code
            for command in ("check", "status", "verify", "plan", "log", "run --dry-run", "forget --dry-run")
        }
        stops = ExitCode.PREREQUISITES if user == readonly_user else ExitCode.DONE
        assert codes == {
            "check": stops,
            "status": ExitCode.DONE,
            "verify": ExitCode.FAILED,
            "plan": stops,
            "log": ExitCode.DONE,
            "run --dry-run": stops,
            "forget --dry-run": ExitCode.DONE,
        }
    assert_same(before, database.snapshot())


def test_data_goes_to_stdout_and_words_to_stderr(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    status = wizard("status")

    assert "to do" in status.out
    assert "acme-test" in status.err
    assert "from --dsn" in status.err
    assert "-- rag-wizard" not in wizard("plan").err
    assert wizard("check").out.count("pass") >= 14


@pytest.mark.slow
def test_every_document_is_json_with_its_version(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    for command in ("check", "status", "verify", "plan", "log", "run --dry-run", "forget --dry-run --yes"):
        document = wizard(*command.split(), "--json").document
        assert document["schema_version"] == 1
    assert wizard("status", "--json").document["steps"][0]["id"] == "0"
    assert "CREATE TABLE domains" in wizard("plan", "--json").document["script"]


@pytest.mark.parametrize("as_json", [False, True])
def test_without_a_terminal_too_the_categories_are_shown_before_they_are_mapped(
    database: Database, state_dir: Path, as_json: bool
) -> None:
    database.execute("set session_replication_role = replica; update clones set category = ' Medical '")

    ran = Program.on(database, state_dir)("run", "--yes", *(["--json"] if as_json else []))

    assert ran.code == ExitCode.DONE, ran.err
    row = re.search(r"' Medical ' +40 +other +looks like medical", ran.err)
    assert row, ran.err
    assert row.start() < re.search(r"^\S+ 6\.2 .*done", ran.err, re.MULTILINE).start()  # type: ignore[union-attr]
    if as_json:
        about = [line["event"] for line in ran.lines if line.get("step") == "6.2"]
        assert about.index("step_started") < about.index("step_previewed") < about.index("part_started")
        shown = next(line for line in ran.lines if line["event"] == "step_previewed" and line["step"] == "6.2")
        assert shown["tables"][0]["rows"] == [["' Medical '", "40", "other", "looks like medical"]]


def test_a_run_with_json_writes_one_event_a_line(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    ran = wizard("run", "--yes", "--json")
    back = wizard("--json", "rollback", "--yes")

    for ended in (ran, back):
        assert ended.code == ExitCode.DONE, ended.err
        assert {line["schema_version"] for line in ended.lines} == {1}
        assert ended.lines[-1]["event"] == "finished"
        assert ended.lines[-1]["outcome"]["ending"] == "done"
    assert [line["step"] for line in ran.lines if line["event"] == "step_finished"][-1] == "V"


def test_a_failure_tells_state_resume_rollback_and_log_and_leaves_the_step_without_a_trace(
    database: Database, state_dir: Path
) -> None:
    wizard = Program.on(database, state_dir)

    failed = wizard("run", "--yes", "--fail-at", "2.2")

    assert failed.code == ExitCode.FAILED
    assert "SQLSTATE" in failed.err
    last = failed.err.rstrip().splitlines()[-4:]
    assert [line.split()[0] for line in last] == ["State", "Resume", "Roll", "Log"]
    assert "Steps 0 to 2.1 are committed; 2.2 left nothing behind" in last[0]
    assert "rag-wizard --dsn postgresql://postgres@" in last[1]
    assert database.password not in failed.err + failed.out
    assert Path(last[3].split()[1]).read_text().count("not part of the replay") == 1
    assert database.value("select count(*) from pg_attribute where attname = 'rag_processing_status'") == 0

    elsewhere = Program.on(database, state_dir / "elsewhere")
    shown = elsewhere("status", "--exit-code")
    assert shown.code == ExitCode.FAILED
    assert "FAILED 2.2" in shown.out
    assert elsewhere("run", "--yes").code == ExitCode.DONE


@pytest.mark.slow
def test_on_failure_rollback_undoes_what_this_run_did_and_nothing_else(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    assert wizard("run", "--yes", "--to", "1.3").code == ExitCode.DONE

    failed = wizard("run", "--yes", "--fail-at", "2.1", "--on-failure", "rollback")

    assert failed.code == ExitCode.FAILED
    assert "Rolling back to 1.3, the last step that was done before" in failed.err
    assert database.query("select to_regclass('rag_documents') is null, to_regclass('vector_stores') is null") == [
        (False, True)
    ]
    states = {step["id"]: step["state"] for step in wizard("status", "--json").document["steps"]}
    assert (states["1.3"], states["1.4"]) == ("done", "rolled_back")


@pytest.mark.slow
def test_ranges_and_strictness(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    assert wizard("run", "--yes", "--from", "1.4").code == ExitCode.USAGE
    assert wizard("run", "--yes", "--to", "nowhere").code == ExitCode.USAGE
    assert wizard("run", "--yes", "--to", "1.2").code == ExitCode.DONE
    assert wizard("run", "--yes", "--from", "1.3", "--to", "1.4").code == ExitCode.DONE
    assert wizard("run", "--yes", "--strict").code == ExitCode.FAILED
    kept = wizard("rollback", "--yes", "--to", "1.2")
    assert kept.code == ExitCode.DONE, kept.err
    assert database.value("select to_regclass('experts') is not null and to_regclass('vector_stores') is null")


@pytest.mark.slow
def test_a_rollback_discards_rows_only_when_the_target_is_named(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes")
    database.execute("insert into domains (domain_name) values ('made by the application')")
    before = database.snapshot()

    unnamed = wizard("rollback", "--yes", "--discard-data")
    both = wizard("rollback", "--yes", "--discard-data", "--archive", str(state_dir / "archive"))

    assert (unnamed.code, both.code) == (ExitCode.USAGE, ExitCode.USAGE)
    assert_same(before, database.snapshot())
    discarded = wizard("rollback", "--yes", "--discard-data", "--confirm", "acme-test")
    assert discarded.code == ExitCode.DONE, discarded.err
    assert not (state_dir / "archives").exists()


def test_discarding_takes_the_name_also_where_no_row_is_there_yet(database: Database, state_dir: Path) -> None:
    """The application may write until the table goes, and nothing would keep that."""
    wizard = Program.on(database, state_dir)
    Operator(database).engine.run(last="1.1")

    unnamed = wizard("rollback", "--yes", "--discard-data")

    assert unnamed.code == ExitCode.USAGE
    assert "needs its name as confirmation" in unnamed.err
    assert database.value("select to_regclass('domains') is not null")
    named = wizard("rollback", "--yes", "--discard-data", "--confirm", "acme-test")
    assert named.code == ExitCode.DONE, named.err


@pytest.mark.parametrize("rollout", [None, TINY])
def test_forgetting_exports_a_log_of_failures_whatever_rollout_they_are_of(
    database: Database, state_dir: Path, rollout: Path | None
) -> None:
    operator = Operator(database, load_rollout(rollout), fail_at="tickets" if rollout else "1.1")
    assert operator.engine.run().ending == "failed"
    wizard = Program.on(database, state_dir)

    tried, forgotten = wizard("forget", "--dry-run", "--json"), wizard("forget", "--yes")

    assert forgotten.code == ExitCode.DONE, forgotten.err
    assert tried.document["statements"] > 0
    saved = re.search(r"Log saved: (\S+\.sql)", forgotten.err)
    assert saved, forgotten.err
    assert "practice failure" in Path(saved[1]).read_text(encoding="utf-8")
    assert database.value("select to_regnamespace('rag_wizard') is null")


@pytest.mark.slow
def test_forget_is_refused_while_anything_is_rolled_out_unless_it_may_stay(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    nothing = wizard("forget", "--yes")
    wizard("run", "--yes", "--to", "1.1")

    refused = wizard("forget", "--yes")
    kept = wizard("forget", "--yes", "--keep-objects")

    assert "nothing to forget" in nothing.err
    assert (nothing.code, refused.code, kept.code) == (ExitCode.DONE, ExitCode.REFUSED, ExitCode.DONE)
    assert database.value("select to_regclass('domains') is not null and to_regnamespace('rag_wizard') is null")


@pytest.mark.slow
def test_production_needs_its_name_besides_yes(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    before = database.snapshot()

    unnamed = wizard("--env", "production", "run", "--yes")
    wrong = wizard("run", "--env", "production", "--yes", "--confirm", "acme")
    by_variable = wizard("run", "--yes", RAG_WIZARD_ENV="production")

    assert {unnamed.code, wrong.code, by_variable.code} == {ExitCode.USAGE}
    assert "--confirm acme-test" in unnamed.err
    assert "--confirm says acme, but the target is acme-test" in wrong.err
    assert_same(before, database.snapshot())
    assert wizard("run", "--env", "production", "--yes", "--confirm", "acme-test", "--to", "1.1").code == ExitCode.DONE


@pytest.mark.slow
def test_a_prerequisite_that_stops_is_exit_3_and_nothing_is_changed(
    make_database: MakeDatabase, state_dir: Path
) -> None:
    database = make_database("foreign_owner")
    wizard = Program.on(database, state_dir)
    before = database.snapshot()

    checked, ran, tried = wizard("check"), wizard("run", "--yes"), wizard("run", "--dry-run")

    assert {checked.code, ran.code, tried.code} == {ExitCode.PREREQUISITES}
    assert "Fix:" in checked.out
    assert_same(before, database.snapshot())


@pytest.mark.parametrize("command", ["run", "rollback", "forget"])
def test_without_a_terminal_a_write_needs_yes(command: str, state_dir: Path) -> None:
    ended = Program(state_dir)(command)

    assert ended.code == ExitCode.USAGE
    assert "--yes" in ended.err


def test_read_only_and_a_write_contradict(database: Database, state_dir: Path) -> None:
    assert Program.on(database, state_dir)("run", "--yes", "--read-only").code == ExitCode.USAGE


def test_a_strategy_that_contradicts_the_record_is_told_without_commands_that_repeat_it(
    database: Database, state_dir: Path
) -> None:
    Operator(database, strategy="online").engine.run(last="1.1")

    refused = Program.on(database, state_dir)("run", "--yes", "--strategy", "atomic")

    assert refused.code == ExitCode.REFUSED
    assert 'began with strategy "online", not "atomic"' in refused.err
    assert "Resume" not in refused.err
    assert "does not answer" not in refused.err


@pytest.mark.slow
def test_a_file_is_written_once_for_its_owner(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    path = state_dir / "plan.sql"

    first, second = wizard("plan", "-o", str(path)), wizard("plan", "-o", str(path))

    assert (first.code, second.code, first.out) == (ExitCode.DONE, ExitCode.USAGE, "")
    assert path.stat().st_mode & 0o777 == 0o600
    assert wizard("plan", "-o", str(path), "--force").code == ExitCode.DONE


@pytest.mark.slow
def test_the_plan_run_by_psql_is_the_same_as_a_run(database: Database, twin: Database, state_dir: Path) -> None:
    script = Program.on(twin, state_dir)("plan", "--no-registry")
    assert "can neither roll back" in script.err
    twin.psql(script.out)

    wizard = Program.on(database, state_dir)
    wizard("run", "--yes")
    wizard("forget", "--yes", "--keep-objects")

    assert database.dump() == twin.dump()


@pytest.mark.slow
def test_the_exported_log_replays_to_the_same_schema(database: Database, twin: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--fail-at", "3")
    wizard("run", "--yes")
    log = wizard("log")
    wizard("forget", "--yes", "--keep-objects")

    twin.psql(log.out)

    assert database.dump() == twin.dump()
    own = ("id", "created_at", "public.domains.updated_at", "public.clone_rag_mapping.updated_at")
    assert database.digest(own, schemas=["public"]) == twin.digest(own, schemas=["public"])


@pytest.mark.slow
def test_the_log_comes_in_three_formats(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    wizard("run", "--yes", "--to", "1.1")

    assert "BEGIN;" in wizard("log").out
    assert json.loads(wizard("log", "--format", "jsonl").out.splitlines()[1])["outcome"] == "committed"
    assert "```sql" in wizard("log", "--format", "md").out


def test_another_rollout_is_run_by_the_same_program(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)

    ended = wizard("status", "--rollout", str(TINY))

    assert ended.code == ExitCode.DONE, ended.err
    assert "clones" not in ended.out
    assert wizard("status", "--rollout", str(state_dir)).code == ExitCode.USAGE


@pytest.mark.slow
def test_a_decision_without_a_default_stops_with_3_until_it_is_answered(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    database.execute("create table old_tickets (title text)")
    tiny = ("--rollout", str(TINY))

    unanswered = wizard("run", "--yes", "--json", *tiny)
    unknown = wizard("run", "--yes", "--decide", "colour=red", *tiny)
    no_answer = wizard("run", "--yes", "--decide", "legacy_rows=perhaps", *tiny)

    assert unanswered.code == ExitCode.PREREQUISITES
    assert unanswered.lines[-1]["error"]["exit_code"] == ExitCode.PREREQUISITES
    assert "legacy_rows" in unanswered.err
    assert (unknown.code, no_answer.code) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "legacy_rows" in unknown.err
    assert "copy, leave" in no_answer.err
    assert wizard("run", "--yes", "--decide", "legacy_rows=leave", *tiny).code == ExitCode.DONE


def test_on_a_terminal_an_open_decision_is_asked(database: Database, state_dir: Path) -> None:
    wizard = Program.on(database, state_dir)
    database.execute("create table old_tickets (title text)")

    code, shown = wizard.on_terminal(
        "run", "--yes", "--rollout", str(TINY), answers=[("Number or name:", "maybe"), ("One of copy, leave", "2")]
    )

    assert code == ExitCode.DONE, shown
    assert "There is a table old_tickets" in shown
