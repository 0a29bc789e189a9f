"""The README's tables say what the code says: keys, states, exit codes, commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from wizard.engine.state import StepState
from wizard.errors import ExitCode
from wizard.ui.commands import COMMANDS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text of one section, up to the next heading."""
    return re.split(r"^#+ ", README.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    return cells[2:]


def test_the_key_table_is_that_of_the_commands() -> None:
    assert rows("Keys") == [[f"`{command.shown}`", command.help] for command in COMMANDS]


def test_the_state_table_is_that_of_the_enum() -> None:
    seen = {(state.glyph, state.ascii_glyph, state.word) for state in StepState}
    assert {(glyph.strip("`"), ascii_glyph.strip("`"), word) for glyph, ascii_glyph, word, _ in rows("States")} == seen


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert [int(row[0]) for row in rows("Exit codes")] == [code.value for code in ExitCode]


def test_every_command_of_the_program_is_there() -> None:
    from wizard.cli import app

    named = {str(command.callback.__name__) for command in app.registered_commands if command.callback}
    assert {row[0].strip("`").split()[1] for row in rows("Commands") if " " in row[0]} == named


def test_every_file_it_points_to_exists() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_version_is_the_same_everywhere() -> None:
    from wizard import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
