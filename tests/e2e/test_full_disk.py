"""Output that cannot be written, as on a full disk: the words or events end, the work and its exit code do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.support.database import Database
from tests.support.program import PATIENCE_S, Program
from wizard.errors import ExitCode

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")


def on_a_full_disk(wizard: Program, *arguments: str, stream: Literal["stdout", "stderr"]) -> tuple[int, str]:
    """The exit code, and what came out of the other stream."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            wizard.command(arguments), env=wizard.env(), stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
        )  # fmt: skip
    return done.returncode, (done.stdout or done.stderr or b"").decode()


def test_the_exit_code_is_that_of_what_went_wrong_first(state_dir: Path) -> None:
    wizard = Program(state_dir, ("--dsn", "postgresql://postgres@localhost:1/postgres"))

    code, said = on_a_full_disk(wizard, "status", "--json", stream="stdout")

    assert code == ExitCode.CONNECTION
    assert "Traceback" not in said
    assert "localhost:1" in said


def test_data_that_was_asked_for_and_is_not_whole_is_told(database: Database, state_dir: Path) -> None:
    code, said = on_a_full_disk(Program.on(database, state_dir), "status", stream="stdout")

    assert code == ExitCode.FAILED
    assert "rag-wizard: The output could not be written: No space left on device." in said
    assert "Unexpected" not in said


@pytest.mark.parametrize(
    ("stream", "arguments"),
    [("stdout", ("run", "--yes", "--json")), ("stdout", ("run", "--yes")), ("stderr", ("run", "--yes"))],
)
def test_a_run_goes_on_to_its_end(
    database: Database, state_dir: Path, stream: Literal["stdout", "stderr"], arguments: tuple[str, ...]
) -> None:
    wizard = Program.on(database, state_dir)

    code, said = on_a_full_disk(wizard, *arguments, stream=stream)

    assert code == ExitCode.DONE
    assert stream == "stderr" or "Open: 5 " in said
    assert wizard("status", "--exit-code").code == ExitCode.DONE
