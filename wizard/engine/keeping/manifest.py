"""An archive as a folder: files of rows and the manifest that vouches for them. It talks to no database."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wizard.db.copying import open_new, sync
from wizard.durable import make_folder, sync_folder
from wizard.errors import RefusedError, UsageError

MANIFEST = "manifest.json"
_FILE = re.compile(r"(late/)?[0-9]{3}-[\w.-]{1,100}\.jsonl")
_PARTIAL = re.compile(r"\.[^/]+\.partial")
"""What a process that died may leave beside the files; never read."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ArchivedColumn(_Frozen):
    """A column as it was."""

    name: str
    type: str


class ArchivedFile(_Frozen):
    """One file: a JSON object a line, column name to the server's text of the value, or null."""

    file: str
    table: str
    what: str
    step: str
    part_id: str
    ordinal: int
    key: tuple[str, ...]
    """Columns that identify a row; empty if the table has no primary key."""
    columns: tuple[ArchivedColumn, ...]
    whole_rows: bool
    """False: values of columns that were added to an existing table, with its key."""
    late: bool = False
    """Saved under the lock when the table was dropped; its rows win over archived ones of the same key."""
    rows: int
    bytes: int
    sha256: str

    @property
    def place(self) -> tuple[str, int]:
        """The guard whose rows it holds."""
        return self.part_id, self.ordinal


class Deleted(_Frozen):
    """Rows that are in the archive, but were gone from the table when it was dropped. Restoring brings them back."""

    part_id: str
    ordinal: int
    table: str
    rows: int


class Manifest(_Frozen):
    """What an archive is and what each of its files must be."""

    kind: Literal["rag-wizard archive"] = "rag-wizard archive"
    format: Literal[1] = 1
    archive_id: str
    rollout: str
    rollout_id: str
    target: str
    database: str
    schema_name: str = Field(alias="schema")
    server_version: str
    wizard_version: str
    host: str
    made_at: datetime
    snapshot: str
    """pg_current_snapshot() that the rows were read in."""
    files: tuple[ArchivedFile, ...] = ()
    deleted_since: tuple[Deleted, ...] = ()
    before: str = ""
    """sha256 of the manifest that this one replaced."""
    sha256: str = ""
    """Of this manifest without this line."""

    def sealed(self) -> Manifest:
        """With its own sha256."""
        return self.model_copy(update={"sha256": self._digest()})

    @property
    def is_whole(self) -> bool:
        """Nobody has changed it since it was sealed."""
        return self.sha256 == self._digest()

    def _digest(self) -> str:
        body = self.model_dump(mode="json", by_alias=True, exclude={"sha256"})
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def text(self) -> str:
        """As it is written."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1) + "\n"


@dataclass(frozen=True)
class OpenedArchive:
    """A folder whose manifest was read; `verify` says whether the files are what it says."""

    folder: Path
    manifest: Manifest

    def path(self, file: ArchivedFile) -> Path:
        """Where a file lies."""
        return self.folder / file.file

    def verify(self, *, unfinished: bool = False) -> None:
        """Reads every file. Raises RefusedError naming the first that is not what the manifest says.

        `unfinished`: more files may be there, which the next manifest will name.
        """
        names = [file.file for file in self.manifest.files]
        for name in names:
            if not _FILE.fullmatch(name) or names.count(name) > 1:
                raise damaged(self.folder / MANIFEST, f"it names a file that cannot be one of its own: {name!r}")
        for name in () if unfinished else sorted(_found(self.folder) - {*names, MANIFEST}):
            raise damaged(self.folder / name, "the manifest does not know it")
        for file in self.manifest.files:
            path = self.path(file)
            if path.is_symlink() or not path.is_file():
                raise damaged(path, "it is missing")
            size, digest = path.stat().st_size, hashlib.sha256()
            if size != file.bytes:
                raise damaged(path, f"it has {size} bytes instead of {file.bytes}")
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
            if digest.hexdigest() != file.sha256:
                raise damaged(path, "its content is not what was archived (sha256 differs)")


def _found(folder: Path) -> set[str]:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
    return {name for name in found if not _PARTIAL.fullmatch(name.removeprefix("late/"))}


def damaged(path: Path, why: str) -> RefusedError:
    """The refusal of a whole archive because of one file."""
    return RefusedError(
        f"the archive is damaged: {path}: {why}",
        why="Nothing was restored: an archive is restored whole or not at all.",
        fix="Take the archive from a backup or from the machine that made it, and restore that.",
    )


def read_archive(folder: Path) -> OpenedArchive:
    """Reads the manifest only. Raises UsageError if there is no archive, RefusedError if the manifest is damaged."""
    path = folder / MANIFEST
    try:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder with an archive.", fix="Name the folder that holds manifest.json.")
        if path.is_symlink():
            raise damaged(path, "it is a link")
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise damaged(path, "it is missing") from None
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", fix="Make it readable for this user.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise damaged(path, f"it is no manifest of this format ({where}: {first['msg']})") from None
    if not manifest.is_whole:
        raise damaged(path, "it was changed after it was written (sha256 differs)")
    return OpenedArchive(folder, manifest)


class NewFolder:
    """A folder that is made under another name beside its place and gets its own name once it is whole and on disk.

    Nothing is made before the first `path`. Leaving the context without `publish` removes what there is.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._temporary: Path | None = None

    def __enter__(self) -> NewFolder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Its place. Raises UsageError if nobody said where, which matters only once there is something to write."""
        if self._folder is None:
            raise UsageError(
                "there is no folder for the rows that would be lost", fix="Say where they are archived: --archive DIR"
            )
        return self._folder

    def path(self, name: str) -> Path:
        """Where to write a file. Raises OSError."""
        if self._temporary is None:
            require_free(self.folder)
            make_folder(self.folder.parent)
            self._temporary = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", dir=self.folder.parent))
        path = self._temporary / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        return path

    def seal(self, manifest: Manifest) -> None:
        """Write the manifest: all is on disk then, still under the other name. Raises OSError."""
        write_durably(self.path(MANIFEST), manifest.text())
        assert self._temporary is not None
        for folder in (self._temporary / "late", self._temporary):
            sync_folder(folder)

    def publish(self) -> None:
        """Give the folder its name, unless somebody has filled that place since. Raises OSError."""
        assert self._temporary is not None
        self._temporary.rename(self.folder)
        self._temporary = None
        sync_folder(self.folder.parent)


def require_free(folder: Path) -> None:
    """Raises UsageError if the folder is there and not empty, is no folder, or cannot be looked at."""
    fix = "Name a folder that is empty or not there: --archive DIR"
    try:
        is_there = folder.is_symlink() or folder.exists()
        is_folder = folder.is_dir() and not folder.is_symlink()
        is_filled = is_folder and any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"Cannot look at {folder}: {error.strerror}.", why="Nothing was changed.", fix=fix) from None
    if is_there and not is_folder:
        raise UsageError(f"{folder} is no folder.", fix=fix)
    if is_filled:
        raise UsageError(
            f"{folder} is not empty.", why="An archive has a folder of its own. Nothing was changed.", fix=fix
        )


def write_durably(path: Path, text: str) -> None:
    """A new file, on disk. Raises OSError."""
    with open_new(path) as stream:
        stream.write(text.encode())
        sync(stream)


def replace_manifest(archive: OpenedArchive, manifest: Manifest) -> OpenedArchive:
    """Puts `manifest`, sealed, in the place of the archive's own, at once. Raises OSError."""
    sealed = manifest.model_copy(update={"before": archive.manifest.sha256}).sealed()
    temporary = archive.folder / f".{MANIFEST}.partial"
    temporary.unlink(missing_ok=True)
    write_durably(temporary, sealed.text())
    temporary.replace(archive.folder / MANIFEST)
    sync_folder(archive.folder)
    return OpenedArchive(archive.folder, sealed)


def cannot_write(error: OSError, folder: Path, *, state: str) -> RefusedError | UsageError:
    """The words for a disk that is full or a folder that is closed to us; `state` is what is true in the database."""
    what = f"the archive cannot be written: {error.filename or folder}: {error.strerror or error}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
        return RefusedError(
            what,
            why=f"Without it rows would be lost. {state}",
            fix="Make room, or choose another place: --archive DIR",
        )
    return UsageError(what, why=state, fix="Make it writable for this user, or choose another place: --archive DIR")
