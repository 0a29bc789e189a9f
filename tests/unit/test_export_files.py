"""Files are written whole or not at all, for their owner only, and never over another by accident."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from wizard.errors import UsageError
from wizard.export.files import write_atomically


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "out.sql", "SELECT 'é';\n")

    assert (tmp_path / "out.sql").read_text(encoding="utf-8") == "SELECT 'é';\n"
    assert stat.S_IMODE((tmp_path / "out.sql").stat().st_mode) == 0o600


def test_an_existing_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "out.sql").write_text("mine")

    with pytest.raises(UsageError, match="exists and was left as it is"):
        write_atomically(tmp_path / "out.sql", "new")

    assert [path.name for path in tmp_path.iterdir()] == ["out.sql"]
    assert (tmp_path / "out.sql").read_text() == "mine"


def test_force_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "out.sql").write_text("mine")

    write_atomically(tmp_path / "out.sql", "new", force=True)

    assert (tmp_path / "out.sql").read_text() == "new"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot write"):
        write_atomically(tmp_path / "nowhere" / "out.sql", "new")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "out.sql", "\ud800")

    assert list(tmp_path.iterdir()) == []
