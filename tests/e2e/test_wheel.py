"""The built wheel, installed into a bare environment: the command works and carries the rollout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.database import Database

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    # Built with what is installed, so that no package index has to answer.
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_steps_and_sql_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "wizard/phase1/steps/rollout.toml" in names
    assert "wizard/phase1/sql/facts.sql" in names
    assert sum(name.startswith("wizard/phase1/steps/") for name in names) == 17
    assert {"wizard/phase1/steps/5_guide_listing.ts", "wizard/demo/database.ts"} < set(names)
    assert any(name.endswith(".tcss") for name in names)
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.slow
def test_the_installed_command_plans_in_a_bare_environment(wheel: Path, tmp_path: Path, database: Database) -> None:
    """Slow: a fresh environment installs the runtime dependencies alone, without the extras."""
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True, text=True)
    command = str(tmp_path / "bare" / "bin" / "rag-wizard")
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    planned = call("--dsn", database.url(), "plan")
    demo = call("--demo", "plan")

    assert planned.returncode == 0, planned.stderr
    assert "CREATE TABLE domains" in planned.stdout
    database.psql(planned.stdout)
    assert call("--dsn", database.url(), "verify").returncode == 0
    assert demo.returncode == 2
    assert "rag-wizard[demo]" in demo.stderr
    assert "Traceback" not in demo.stderr
