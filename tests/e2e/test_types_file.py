"""Step 5 with the real compiler and Supabase's own generator: files in many styles, and back to the very bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.program import Program
from tests.support.typescript import GENERATED, STYLES, USAGE, compiler_complaints, generated, needs_node
from wizard.engine.events import TypesFileRestored
from wizard.errors import ExitCode

MORE = """
    create type mood as enum ('sad', 'it''s ok');
    create domain size as int not null check (value > 0);
    create table orders (
        id bigint generated always as identity primary key, note json not null, mood mood, moods mood[],
        clone_id uuid unique references clones (id), "odd name" size, "Caps" text, caps text, a_b text, ab text,
        twice int generated always as (1 + 1) stored);
    create view through_view as select id as "the, {id}", name from clone_catalog;
    create view joined as select c.id as a, k.id as b, c.id as c2 from clones c join knowledge k on k.clone_id = c.id;
    create view unioned as select a from joined union all select gen_random_uuid();
    create view named as with x as (select id from clones) select x.id, (select max(name) from clones) as m from x;
    create materialized view materialized as select id, name from clones;
    create function "map_other"(a text) returns setof text language sql as 'select a';
    create schema extra;
    create table extra.notes (id int primary key, clone_id uuid references clones (id));
"""
"""Things of the application that the generator prints in its own ways."""


def in_style(folder: Path, style: str) -> Path:
    """A folder of an application whose types file is written in that style."""
    file = folder / "".join(sign if sign.isalnum() else "-" for sign in style) / "database.ts"
    file.parent.mkdir()
    file.write_text(STYLES[style](GENERATED), encoding="utf-8", newline="")
    (file.parent / "usage.ts").write_text(USAGE, encoding="utf-8")
    return file


def keeps_every_line(before: bytes, after: bytes) -> bool:
    """Every line of the file is still there, in order; only "nothing in here" may have gone."""
    lines = iter(after.splitlines(keepends=True))
    return all(line in lines for line in before.splitlines(keepends=True) if b"[_ in never]" not in line)


@pytest.mark.slow
@needs_node
def test_in_every_style_the_compiler_is_content_the_rest_stays_and_a_rollback_returns_the_bytes(
    database: Database, state_dir: Path, tmp_path: Path
) -> None:
    ada = Operator(database, types_copies=state_dir / "types")
    ada.engine.run()
    files = {style: in_style(tmp_path, style) for style in STYLES}
    before = {style: file.read_bytes() for style, file in files.items()}

    for style, file in files.items():
        plan = ada.engine.types_plan(file)
        assert (len(plan.added), plan.replaced, plan.removed) == (17, (), ()), (style, plan)
        ada.engine.write_types(file, plan.result)

        assert keeps_every_line(before[style], file.read_bytes()), style
        assert ada.engine.types_plan(file).up_to_date, style
        assert b"\r\n" in file.read_bytes() or style != "CRLF"
    usages = [file.parent / "usage.ts" for file in files.values()]
    assert compiler_complaints(*files.values(), *usages) == ""
    assert ada.states()["5"] == "done"

    ada.engine.rollback()

    assert {style: file.read_bytes() for style, file in files.items()} == before
    assert len(ada.told(TypesFileRestored)) == len(files)


@pytest.mark.slow
@needs_node
@pytest.mark.parametrize("schemas", ["public", "public,extra"])
def test_what_the_generator_printed_before_becomes_what_it_prints_after(
    database: Database, state_dir: Path, schemas: str
) -> None:
    database.execute(MORE)
    file = state_dir / "database.ts"
    file.write_bytes(generated(database, schemas))

    outcome = Operator(database, types_file=file).engine.run()

    assert outcome.verification is not None
    assert file.read_bytes().decode() == generated(database, schemas).decode()
    assert outcome.verification.passed
    assert outcome.open_steps == ()


@pytest.mark.slow
@needs_node
def test_for_a_file_in_which_the_guides_listing_was_pasted_the_difference_is_shown_and_then_the_compiler_is_content(
    database: Database, state_dir: Path, tmp_path: Path
) -> None:
    wizard = Program.on(database, state_dir)
    file = in_style(tmp_path, "generator of 2026")
    listing = (Path(__file__).parents[2] / "steps" / "5_guide_listing.ts").read_text(encoding="utf-8")
    tables = listing[listing.index("      assistants: {") : listing.index("      // Update existing clones")]
    file.write_text(file.read_text().replace("    Tables: {\n", f"    Tables: {{\n{tables}", 1), encoding="utf-8")
    pasted = file.read_bytes()

    careful = wizard("run", "--yes", "--to", "4")
    asked = wizard.on_terminal("run", "--types", str(file), answers=[("Run on acme-test?", "y")])

    assert careful.code == ExitCode.DONE
    assert asked[0] == ExitCode.DONE
    assert "has entries that differ from the" in asked[1]
    assert "9 of 9 criteria" not in asked[1]
    assert file.read_bytes() == pasted

    written = wizard("types", str(file), "--yes")

    assert written.code == ExitCode.DONE
    assert "-          clone_id: string\n" in written.err
    assert compiler_complaints(file, file.parent / "usage.ts") == ""
    assert wizard("types", str(file), "--check").code == ExitCode.DONE
    assert wizard("rollback", "--yes").code == ExitCode.DONE
    assert file.read_bytes() == pasted


@pytest.mark.slow
def test_the_command_looks_prints_and_writes_with_the_exit_codes_it_promises(
    database: Database, state_dir: Path, tmp_path: Path
) -> None:
    wizard = Program.on(database, state_dir)
    file = tmp_path / "database.ts"
    file.write_text(GENERATED, encoding="utf-8")
    bare = wizard("types", str(file), "--check")
    run = wizard("run", "--yes", "--types", str(file), "--to", "1.3")
    assert (bare.code, run.code) == (ExitCode.DONE, ExitCode.DONE), bare.err + run.err

    stale = wizard("types", str(file), "--check")
    shown = wizard("types", str(file), "--diff")
    told = wizard("types", str(file), "--check", "--json")
    silent = wizard("types", str(file))
    assert (stale.code, stale.out) == (ExitCode.FAILED, "")
    assert (shown.code, told.code, silent.code) == (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE)
    assert shown.out.startswith("--- a/database.ts\n+++ b/database.ts\n@@ ")
    assert told.document["added"] == ["domains", "experts", "rag_documents"]
    assert file.read_text(encoding="utf-8") == GENERATED

    written = wizard("types", str(file), "--yes")
    assert written.code == ExitCode.DONE
    assert wizard("types", str(file), "--check").code == ExitCode.DONE
    assert wizard("status", "--json").document["steps"][11]["state"] == "todo"
    assert wizard("types", str(tmp_path), "--check").code == ExitCode.USAGE
    assert wizard("types").code == ExitCode.USAGE

    assert wizard("rollback", "--yes").code == ExitCode.DONE
    assert file.read_text(encoding="utf-8") == GENERATED


def test_recording_a_file_that_is_up_to_date_needs_the_same_word_as_writing_it(
    database: Database, state_dir: Path, tmp_path: Path
) -> None:
    wizard = Program.on(database, state_dir)
    file = tmp_path / "database.ts"
    file.write_text(GENERATED, encoding="utf-8")
    assert wizard("types", str(file), "--yes").code == ExitCode.DONE, "nothing is recorded, and the file is as it was"
    assert wizard("run", "--yes", "--to", "1.1").code == ExitCode.DONE
    assert wizard("types", str(file), "--yes").code == ExitCode.DONE
    sessions = database.value("select count(*) from rag_wizard.session")

    mistaken = wizard("types", str(file), "--yes", "--confirm", "acme-prod")
    unnamed = wizard("types", str(file), "--yes", "--env", "production")
    assert (mistaken.code, unnamed.code) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "--confirm says acme-prod, but the target is acme-test" in mistaken.err
    assert "Add --confirm acme-test" in unnamed.err
    assert database.value("select count(*) from rag_wizard.session") == sessions, "nothing was written"

    meant = wizard("types", str(file), "--yes", "--env", "production", "--confirm", "acme-test")
    assert meant.code == ExitCode.DONE, meant.err
