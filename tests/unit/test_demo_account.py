"""What mode bits let the server's account reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.demo.account import Account

STRANGER = Account("stranger", 64321, 64321)


@pytest.fixture
def folder(state_dir: Path) -> Path:
    inner = state_dir / "inner"
    inner.mkdir()
    inner.chmod(0o755)  # whatever the umask is
    (inner / "file").touch()
    (inner / "file").chmod(0o644)
    return inner


def test_an_open_path_is_readable(folder: Path) -> None:
    assert STRANGER.can_read(folder / "file")
    assert STRANGER.can_pass(folder)


def test_a_closed_folder_above_closes_everything_below(folder: Path) -> None:
    folder.parent.chmod(0o700)
    assert not STRANGER.can_read(folder / "file")
    assert not STRANGER.can_pass(folder)


def test_passing_a_folder_needs_no_right_to_list_it(folder: Path) -> None:
    folder.chmod(0o711)
    assert STRANGER.can_pass(folder)
    assert STRANGER.can_read(folder / "file")


def test_an_unreadable_or_absent_file_is_not_readable(folder: Path) -> None:
    (folder / "file").chmod(0o640)
    assert not STRANGER.can_read(folder / "file")
    assert not STRANGER.can_read(folder / "absent")


def test_owner_and_group_have_their_own_bits(folder: Path) -> None:
    found = (folder / "file").stat()
    (folder / "file").chmod(0o640)
    assert Account("owner", found.st_uid, 64321).can_read(folder / "file")
    assert Account("group", 64321, found.st_gid).can_read(folder / "file")
    # The owner's bits count for the owner, even where others have more.
    (folder / "file").chmod(0o044)
    assert not Account("owner", found.st_uid, 64321).can_read(folder / "file")
