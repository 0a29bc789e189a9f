"""Loading a rollout: a broken one is refused with file, key and fix."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wizard.errors import ExitCode, RolloutInvalidError
from wizard.rollout.kind import StepKind
from wizard.rollout.load import load_rollout
from wizard.rollout.locate import builtin_folder
from wizard.rollout.render import Renderer

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tiny rollout to break."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_builtin_rollout_has_the_guides_fifteen_steps_and_nine_criteria() -> None:
    rollout = load_rollout()

    assert rollout.order == (
        "0",
        "1.1",
        "1.2",
        "1.3",
        "1.4",
        "1.5",
        "1.6",
        "2.1",
        "2.2",
        "3",
        "4",
        "5",
        "6.1",
        "6.2",
        "V",
    )
    assert len(rollout.criteria) == 9
    assert {step.kind for step in rollout.steps} == set(StepKind)
    assert builtin_folder() == rollout.folder


def test_the_guides_58_statements_are_all_there() -> None:
    facts = {
        "shared_function_body": "absent",
        "creator_id_type": "text",
        "category_type": "text",
        "api_grants": "present",
    }
    steps = Renderer(load_rollout(), facts).steps
    count = sum(len(part.statements) for step in steps for part in step.parts)

    # Six more switch RLS on together with the tables, before step 4 does; 6.1 has an UPDATE for each column it fills.
    assert count == 58 + 6 + 2


@pytest.mark.parametrize(
    ("file", "old", "new", "named", "fix"),
    [
        ("tickets.toml", 'label = "Tickets"', "", "label", 'Add the key "label"'),
        ("tickets.toml", "does =", "dose =", "does", 'Add the key "does"'),
        ("tickets.toml", 'rollback = "', 'rolback = "', "rolback", 'Remove "rolback"'),
        ("tickets.toml", 'id = "tickets"', 'id = "look"', "id", "another id"),
        ("tickets.toml", 'sql = "deploy/tickets.sql"', 'sql = "deploy/none.sql"', "deploy/none.sql", "Add the file"),
        ("tickets.toml", 'sql = "deploy/tickets.sql"', 'sql = "../steps/look.toml"', "outside sql/", "below sql/"),
        ("tickets.toml", 'label = "Tickets"', 'label = "far too long a label"', "label", "Correct the value"),
        ("tickets.toml", "title =", "title", "not valid TOML", "Correct the line"),
        ("priority.toml", 'find = "DEFAULT 3"', 'find = "DEFAULT 4"', "edit.find", "Correct one of the two"),
        ("priority.toml", 'subsumed_by = "tickets"', 'subsumed_by = "nobody"', "subsumed_by", "Name a step"),
        ("look.toml", 'kind = "prerequisites"', 'kind = "sql"', "deploy", "Add a [[deploy]]"),
        ("look.toml", 'kind = "prerequisites"', 'kind = "magic"', "kind", "Correct the value"),
        ("rollout.toml", '"look", ', "", "not listed", "List it"),
        ("rollout.toml", '"look", ', '"look", "lost", ', "lost", "Add the file or the id"),
        ("rollout.toml", '"look", ', '"look", "look", ', "twice", "once"),
        ("rollout.toml", '"priority.column"', '"priority.none"', "priority.none", "Name a check"),
        ("rollout.toml", '"priority.column"', '"look.objects"', "look.objects", "Name a check"),
        ("priority.toml", 'id = "priority.column"', 'id = "priority.objects"', "has by itself", "another id"),
        ("rollout.toml", 'default = "without"', 'default = "maybe"', "samples", "Name an option"),
        ("rollout.toml", 'facts = "facts.sql"', 'facts = "none.sql"', "none.sql", "Add the file"),
    ],
)
def test_a_broken_rollout_names_file_key_and_fix(
    copy: Path, file: str, old: str, new: str, named: str, fix: str
) -> None:
    edit(copy / "steps" / file, old, new)

    with pytest.raises(RolloutInvalidError) as refused:
        load_rollout(copy)

    assert named in refused.value.what
    assert fix in refused.value.fix
    assert ".toml" in refused.value.what
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_criterion_may_name_the_check_of_a_steps_objects(copy: Path) -> None:
    edit(copy / "steps" / "rollout.toml", '"priority.column"', '"priority.objects"')

    assert load_rollout(copy).criteria[0].checks == ("tickets.columns", "priority.objects")


def test_sql_that_does_not_parse_names_file_and_line(copy: Path) -> None:
    (copy / "sql" / "deploy" / "tickets.sql").write_text("SELECT 1;\nCREAT TABLE x ();\n")

    with pytest.raises(RolloutInvalidError, match=r"sql/deploy/tickets\.sql:2: not valid SQL"):
        _ = Renderer(load_rollout(copy), {}).steps


def test_a_folder_without_rollout_is_named(tmp_path: Path) -> None:
    with pytest.raises(RolloutInvalidError, match="is not a rollout"):
        load_rollout(tmp_path)
