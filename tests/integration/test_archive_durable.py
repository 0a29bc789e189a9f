"""Rows leave the database only once their files have names that outlive a power cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_archive import EXPERT, only_archive
from tests.support.database import Database
from tests.support.engine import Operator, at_start_of
from wizard.durable import make_folder

Synced = list[int]
"""Inodes in the order in which they were made durable."""


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Synced]:
    found: Synced = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        really(descriptor)
        found.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    yield found


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_late_rows_have_a_name_before_the_manifest_names_them(
    database: Database, tmp_path: Path, synced: Synced
) -> None:
    operator = Operator(database, archives=tmp_path)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('Ada', 'other', '')")
    at_start_of(operator, "1.2", database, EXPERT)

    operator.engine.rollback()

    folder = only_archive(tmp_path)
    (late,) = (folder / "late").iterdir()
    order = [synced.index(inode(path)) for path in (late, folder / "late", folder / "manifest.json")]
    assert order == sorted(order)


def test_so_have_folders_that_are_made_for_an_archive(database: Database, tmp_path: Path, synced: Synced) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)

    operator.engine.rollback(archive=tmp_path / "a" / "b" / "archive")

    assert {inode(tmp_path), inode(tmp_path / "a"), inode(tmp_path / "a" / "b")} <= set(synced)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, synced: Synced) -> None:
    make_folder(tmp_path)

    assert synced == []
