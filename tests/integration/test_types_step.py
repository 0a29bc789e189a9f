"""Step 5 with a types file: written with its checkpoint, followed by later steps, put back by a rollback."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.database import SUPERUSER, Database
from tests.support.engine import Operator
from tests.support.typescript import GENERATED
from wizard.engine.events import Event, Finished, Noticed, TypesCompared, TypesFileRestored, TypesFileWritten
from wizard.errors import ExitCode, PrerequisiteError, RefusedError, UsageError


class DiedError(BaseException):
    """The process is gone, without a chance to do anything about it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The application's types file."""
    path = tmp_path / "database.ts"
    path.write_text(GENERATED, encoding="utf-8")
    path.chmod(0o640)
    return path


def test_a_run_with_a_file_ends_with_nothing_open_and_a_rollback_returns_the_bytes(
    database: Database, file: Path, tmp_path: Path
) -> None:
    ada = Operator(database, types_file=file, types_copies=tmp_path / "copies")

    outcome = ada.engine.run()

    assert outcome.open_steps == ()
    assert "9 of 9 criteria" in outcome.sentence
    assert "map_clone_category_to_domain: {" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    written = ada.told(TypesFileWritten)
    assert [Path(one.written.copy_path).read_text(encoding="utf-8") for one in written] == [GENERATED] * 2
    assert ada.told(TypesCompared)[0].at <= written[0].at
    assert not ada.engine.run().changed
    assert [one.words for one in ada.engine.rollback_plan().files] == ["is put back as it was"]

    ada.engine.rollback("6.1")

    assert "map_clone_category_to_domain" not in file.read_text(encoding="utf-8")
    assert ada.states()["5"] == "done"

    ada.engine.rollback()

    assert file.read_text(encoding="utf-8") == GENERATED
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_where_only_the_file_is_left_a_dry_run_judges_the_prerequisites_as_the_run_does(
    database: Database, file: Path
) -> None:
    Operator(database).engine.run()
    ada = Operator(database, types_file=file)
    assert ada.engine.dry_run().exit_code == ExitCode.DONE
    database.execute("alter function auth.uid() rename to uid_of_old", user=SUPERUSER)

    foreseen = ada.engine.dry_run()

    with pytest.raises(PrerequisiteError) as stopped:
        ada.engine.run()
    assert foreseen.exit_code == stopped.value.exit_code
    assert file.read_text(encoding="utf-8") == GENERATED


@pytest.mark.parametrize("what", ["file", "its folder", "the folder of copies"])
def test_a_file_that_cannot_be_written_ends_a_run_before_it_begins(
    database: Database, state_dir: Path, what: str
) -> None:
    path, copies = state_dir / "app" / "database.ts", state_dir / "copies"
    for folder in (path.parent, copies):
        folder.mkdir()
        folder.chmod(0o777)
    path.write_text(GENERATED, encoding="utf-8")
    path.chmod(0o666)
    {"file": path, "its folder": path.parent, "the folder of copies": copies}[what].chmod(0o555)
    ada = Operator(database, types_file=path, types_copies=copies / "types")

    with unprivileged(), pytest.raises(UsageError) as real:
        ada.engine.run()
    with unprivileged(), pytest.raises(UsageError) as tried:
        ada.engine.dry_run()

    assert str(real.value) == str(tried.value)
    assert {event.event for event in ada.events} == {"connected"}
    for folder in (path.parent, copies):
        folder.chmod(0o755)


def test_a_file_that_may_not_be_written_is_no_obstacle_once_it_is_up_to_date(
    database: Database, state_dir: Path
) -> None:
    path, copies = state_dir / "app" / "database.ts", state_dir / "copies"
    path.parent.mkdir()
    path.write_text(GENERATED, encoding="utf-8")
    ada = Operator(database, types_file=path, types_copies=copies)
    ada.engine.run()
    path.chmod(0o444)
    path.parent.chmod(0o555)

    with unprivileged():
        assert ada.engine.dry_run().exit_code == ExitCode.DONE
        again = ada.engine.run()

    assert (again.ending, again.changed) == ("done", False)
    path.parent.chmod(0o755)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Rights count while this is open: to root they do not."""
    before = os.geteuid()
    if not before:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_without_a_file_the_step_is_open_and_naming_one_later_closes_it(database: Database, file: Path) -> None:
    ada = Operator(database)
    assert ada.engine.run().open_steps == ("5",)
    assert ada.states()["5"] == "open"

    plan = ada.engine.types_plan(file)
    ada.engine.write_types(file, plan.result)

    assert ada.states()["5"] == "done"
    verification = ada.engine.verify()
    assert all(criterion.state == "passed" for criterion in verification.criteria)
    assert any("assistants, Row, Insert, Update: clone_id: string | null" in text for text in verification.listing)


def test_a_server_that_goes_away_behind_the_run_does_not_make_it_fail(database: Database) -> None:
    operator = Operator(database)

    def go_away(event: Event) -> None:
        if isinstance(event, Finished):
            database.execute(f'alter database "{database.name}" connection limit 0', user=SUPERUSER)

    operator.listen(go_away)

    outcome = operator.engine.run(listing=True)

    assert outcome.sentence.startswith("FINISHED and verified")
    assert "was not looked up" in operator.told(Noticed)[-1].text


def test_a_file_that_was_edited_since_keeps_the_edits_and_loses_the_entries(database: Database, file: Path) -> None:
    file.write_text(GENERATED.replace("bio: string | null\n", "bio: string | null // ours\n", 1), encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    ada = Operator(database, types_file=file)
    ada.engine.run()
    added = "      zebra: {\n        Row: { id: string }\n      }\n"
    text = file.read_text(encoding="utf-8").replace("      user_profiles: {\n", f"{added}      user_profiles: {{\n", 1)
    file.write_text(text, encoding="utf-8")

    assert "was edited since" in ada.engine.rollback_plan().files[0].words
    ada.engine.rollback()

    assert file.read_text(encoding="utf-8") == before.replace(
        "      user_profiles: {\n", f"{added}      user_profiles: {{\n", 1
    )


@pytest.mark.slow
def test_whoever_dies_between_file_and_checkpoint_is_followed_by_one_who_can_put_it_back(
    database: Database, file: Path
) -> None:
    ada = Operator(database, types_file=file)

    def die(event: Event) -> None:
        if isinstance(event, TypesFileWritten):
            raise DiedError

    ada.listen(die)
    with pytest.raises(DiedError):
        ada.engine.run()
    grace = Operator(database, types_file=file)
    assert grace.states()["5"] == "todo"

    assert grace.engine.run().open_steps == ()
    grace.engine.rollback()

    assert file.read_text(encoding="utf-8") == GENERATED


def test_a_file_that_changes_while_the_wizard_looks_at_it_is_left_as_it_is(database: Database, file: Path) -> None:
    ada = Operator(database)
    ada.engine.run()
    plan = ada.engine.types_plan(file)
    file.write_text(GENERATED + "// mine\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="changed since the difference was shown"):
        ada.engine.write_types(file, plan.result)

    plan = ada.engine.types_plan(file)

    def interfere(event: Event) -> None:
        if isinstance(event, TypesCompared):
            file.write_text(GENERATED + "// mine, at the last moment\n", encoding="utf-8")

    ada.listen(interfere)
    with pytest.raises(RefusedError, match="changed by somebody else"):
        ada.engine.write_types(file, plan.result)

    assert file.read_text(encoding="utf-8") == GENERATED + "// mine, at the last moment\n"
    assert list(file.parent.glob(".database.ts.*")) == []


@pytest.mark.slow
def test_a_symbolic_link_stays_one_and_what_it_leads_to_is_written(database: Database, file: Path) -> None:
    link = file.parent / "link.ts"
    link.symlink_to(file.name)
    ada = Operator(database, types_file=link)

    ada.engine.run()

    assert link.is_symlink()
    assert "clone_rag_mapping" in file.read_text(encoding="utf-8")
    ada.engine.rollback()
    assert file.read_text(encoding="utf-8") == GENERATED
    assert link.is_symlink()


@pytest.mark.slow
def test_a_file_that_is_gone_does_not_stop_a_rollback(database: Database, file: Path) -> None:
    before = database.snapshot()
    ada = Operator(database, types_file=file)
    ada.engine.run()
    file.unlink()

    ada.engine.rollback()
    ada.engine.forget()

    assert any("There is no file" in notice.text for notice in ada.told(Noticed))
    assert ada.told(TypesFileRestored)
    assert before.difference(database.snapshot()) == ""


BAD: dict[str, tuple[str | bytes, str]] = {
    "another program": ("export const a = 1\n", r":1:1: there is no type or interface Database"),
    "no TypeScript": ("export type Database = {\n  public: {\n", "this is not TypeScript"),
    "another schema": ("export type Database = {\n  other: {\n    Tables: {}\n  }\n}\n", r":1:24: .*no schema public"),
    "no Tables": ("export type Database = {\n  public: {\n    Views: {}\n  }\n}\n", r":2:11: .*has no Tables block"),
    "a reference": ("export type Database = Other\n", r":1:24: Database is not written as an object type"),
    "not UTF-8": (b"export type Database = \xff\xfe\n", "this is not UTF-8 text"),
    "empty": ("", "no type or interface Database"),
}


def test_a_file_that_is_none_is_refused_before_anything_runs(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "database.ts"
    ada = Operator(database, types_file=file)
    for text, words in BAD.values():
        data = text if isinstance(text, bytes) else text.encode()
        file.write_bytes(data)

        with pytest.raises(UsageError, match=words):
            ada.engine.run()
        with pytest.raises(UsageError, match=words):
            ada.engine.types_plan(file)

        assert file.read_bytes() == data
    assert ada.states()["1.1"] == "todo"


def test_what_is_no_readable_file_is_said_to_be_so(database: Database, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to("round")
    ada = Operator(database)
    for path, words in (
        (tmp_path, "is a directory"),
        (tmp_path / "pipe", "is not a plain file"),
        (tmp_path / "nowhere.ts", "There is no file"),
        (tmp_path / "round", "cannot be read"),
        (Path("/proc/self/mem"), "cannot be read"),
    ):
        with pytest.raises(UsageError, match=words):
            ada.engine.types_plan(path)
