"""What people type as a path: made whole, or refused in words, never with a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wizard.console.call import make_call
from wizard.errors import UsageError
from wizard.paths import is_taken, typed_path, why_no_file

TOO_LONG = "x" * 300


def test_a_home_folder_is_filled_in_and_a_path_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    assert typed_path("~/out.sql") == tmp_path / "home" / "out.sql"
    assert typed_path("out.sql") == tmp_path / "out.sql"


@pytest.mark.parametrize("option", ["state_dir", "rollout"])
def test_the_home_of_somebody_unknown_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="~nosuch has no home folder here"):
        make_call({option: "~nosuch/x"})


def test_below_a_folder_that_is_gone_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(UsageError, match="the current folder is gone"):
        typed_path("out.sql")


def test_no_name_of_a_file_holds_a_zero() -> None:
    with pytest.raises(UsageError, match="no name of a file"):
        typed_path("a\0b")


def test_why_there_is_no_file_to_read(tmp_path: Path) -> None:
    (tmp_path / "database.ts").touch()
    os.mkfifo(tmp_path / "pipe")

    assert not why_no_file(tmp_path / "database.ts")
    assert why_no_file(tmp_path) == "is a directory"
    assert why_no_file(tmp_path / "pipe") == "is no file"
    assert why_no_file(tmp_path / "other.ts") == why_no_file(tmp_path / "database.ts" / "x") == "is not there"
    assert why_no_file(tmp_path / TOO_LONG) == "cannot be looked at (File name too long)"


def test_a_name_that_no_file_can_have_is_free(tmp_path: Path) -> None:
    assert is_taken(tmp_path)
    assert not is_taken(tmp_path / TOO_LONG)
