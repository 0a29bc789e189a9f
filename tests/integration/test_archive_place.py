"""Where an archive goes: a folder that cannot be used stops a rollback before anything is changed."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.test_archive import EXPERT, rows_in
from tests.support.database import Database, assert_same
from tests.support.engine import Operator
from wizard.errors import RefusedError, UsageError


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


@pytest.mark.parametrize("place", ["not empty", "a file", "below a file"])
def test_a_folder_that_cannot_be_used_stops_before_anything_is_changed(
    database: Database, tmp_path: Path, place: str
) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)
    (tmp_path / "file").touch()
    folder = {"not empty": tmp_path, "a file": tmp_path / "file", "below a file": tmp_path / "file" / "archive"}[place]
    before = database.snapshot()

    with pytest.raises(UsageError):
        operator.engine.rollback(archive=folder)

    assert_same(before, database.snapshot())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes: the system's own refusal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_without_room_stops_before_anything_is_changed(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute("insert into experts (name, domain, context) values ('big', 'other', repeat('x', 4000000))")
    before = database.snapshot()

    with small_disk(2_000_000), pytest.raises(RefusedError, match="File too large") as refused:
        operator.engine.rollback()

    assert "Nothing was changed in the database" in refused.value.why
    assert "--archive DIR" in refused.value.fix
    assert_same(before, database.snapshot())
    assert list((archives / "acme-test").iterdir()) == []


def test_an_empty_folder_may_be_named(database: Database, tmp_path: Path) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)
    folder = tmp_path / "mine"
    folder.mkdir()

    assert operator.engine.rollback(archive=folder).ending == "done"

    assert [row["name"] for row in rows_in(folder, "experts")] == ["late"]


def test_a_target_name_is_no_path(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)
    object.__setattr__(operator.engine.target, "name", "../../etc/x")

    folder = Path(operator.engine.rollback_plan().archive)

    assert folder.parent.parent == archives
