"""Archives that are not as they were written: refused whole, naming the file, and nothing is changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.test_archive import EXPERT, only_archive
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.rag_rows import archived
from wizard.engine.keeping.manifest import Manifest
from wizard.errors import PrerequisiteError, RefusedError, UsageError

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def flip_a_byte(folder: Path) -> Path:
    path = next(folder.glob("*-experts.jsonl"))
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    return path


def cut_off(folder: Path) -> Path:
    path = next(folder.glob("*-domains.jsonl"))
    path.write_bytes(path.read_bytes()[:-10])
    return path


def remove_a_file(folder: Path) -> Path:
    path = next(folder.glob("*-experts.jsonl"))
    path.unlink()
    return path


def link_a_file(folder: Path) -> Path:
    path = next(folder.glob("*-experts.jsonl"))
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    return path


def edit_the_manifest(folder: Path) -> Path:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"rows": 1', '"rows": 2', 1))
    return path


def break_the_manifest(folder: Path) -> Path:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:100])
    return path


def remove_the_manifest(folder: Path) -> Path:
    (folder / "manifest.json").unlink()
    return folder / "manifest.json"


def add_a_file(folder: Path) -> Path:
    (folder / "009-more.jsonl").touch()
    return folder / "009-more.jsonl"


@pytest.fixture(scope="module")
def damaged_by() -> list[Callable[[Path], Path]]:
    return [
        flip_a_byte, cut_off, remove_a_file, link_a_file, edit_the_manifest, break_the_manifest, remove_the_manifest,
        add_a_file,
    ]  # fmt: skip


def test_a_damaged_archive_is_refused_whole_naming_the_file(
    database: Database, archives: Path, damaged_by: list[Callable[[Path], Path]]
) -> None:
    insert = "insert into domains (domain_name) values ('astrology')"
    operator = archived(database, archives, "1.2", EXPERT, insert)
    before = database.digest(schemas=["public"])
    for number, damage in enumerate(damaged_by):
        copy = archives / f"copy-{number}"
        shutil.copytree(only_archive(archives), copy)
        path = damage(copy)

        with pytest.raises(RefusedError, match="the archive is damaged") as refused:
            operator.engine.restore(copy)

        assert str(path) in refused.value.what
        assert database.digest(schemas=["public"]) == before


def test_a_manifest_that_was_written_anew_is_not_the_one_that_the_registry_knows(
    database: Database, archives: Path
) -> None:
    operator = archived(database, archives, "1.2", EXPERT)
    folder = only_archive(archives)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_text())
    forged = manifest.model_copy(update={"target": "another"}).sealed()
    (folder / "manifest.json").write_text(forged.text())

    with pytest.raises(RefusedError, match="not the manifest that this database knows"):
        operator.engine.restore(folder)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "late/../../x.jsonl"])
def test_a_manifest_cannot_name_files_elsewhere(database: Database, archives: Path, name: str) -> None:
    operator = archived(database, archives, "1.2", EXPERT)
    database.execute("truncate rag_wizard.archive, rag_wizard.archive_file, rag_wizard.late_row")
    folder = only_archive(archives)
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_text())
    file = manifest.files[0].model_copy(update={"file": name})
    (folder / "manifest.json").write_text(manifest.model_copy(update={"files": (file,)}).sealed().text())

    with pytest.raises(RefusedError, match="a file that cannot be one of its own"):
        operator.engine.restore(folder)


def test_what_is_no_archive_or_has_no_tables_yet_is_refused_in_words(database: Database, archives: Path) -> None:
    operator = Operator(database, archives=archives)
    operator.engine.run(last="1.2")
    database.execute(EXPERT)
    operator.engine.rollback()

    with pytest.raises(UsageError, match="no folder with an archive"):
        operator.engine.restore(archives / "nowhere")
    with pytest.raises(PrerequisiteError, match="nothing is rolled out"):
        operator.engine.restore(only_archive(archives))
    operator.engine.run(last="1.1")
    with pytest.raises(PrerequisiteError, match="table experts is not there") as refused:
        operator.engine.restore(only_archive(archives))
    assert "Run step 1.2 first" in refused.value.fix
