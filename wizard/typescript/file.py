"""The types file on disk: read whole, written whole or not at all. What goes into it is made elsewhere."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wizard.durable import sync_folder
from wizard.errors import RefusedError, UsageError
from wizard.typescript.edit import MARK
from wizard.typescript.syntax import NotATypesFileError, parse

UNTOUCHED = "The file was left as it is."
_GENERATE = "Name the file that Supabase's generator wrote, for example: rag-wizard types types/database.ts"


@dataclass(frozen=True)
class TypesFile:
    """A file as it was read. A symbolic link is followed: the file that it leads to is read and written."""

    path: Path
    """As named, absolute."""
    real: Path
    data: bytes

    @property
    def digest(self) -> str:
        """Of its bytes."""
        return digest(self.data)


def digest(data: bytes) -> str:
    """The sha256 of bytes, as hex."""
    return hashlib.sha256(data).hexdigest()


def read_types_file(path: Path) -> TypesFile:
    """The file's bytes. Raises UsageError if it is not there, is no file, cannot be read or is not UTF-8."""
    path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would hide that it is a link
    try:
        real = path.resolve(strict=True)
        if not stat.S_ISREG(real.stat().st_mode):
            kind = "a directory" if real.is_dir() else "not a plain file"
            raise UsageError(f"{path} is {kind}.", why="Types are brought up to date in one file.", fix=_GENERATE)
        data = real.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", why="Nothing was changed.", fix=_GENERATE) from None
    except (OSError, RuntimeError) as error:
        words = getattr(error, "strerror", None) or "the symbolic links lead in a circle"
        raise UsageError(
            f"{path} cannot be read: {words}.",
            why="Nothing was changed.",
            fix="Make it readable for you, or name another.",
        ) from None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}:{line}: this is not UTF-8 text.", why=UNTOUCHED, fix="Save it as UTF-8, or name another file."
        ) from None
    return TypesFile(path, real, data)


def require_types_file(file: TypesFile, schema: str) -> tuple[str, ...]:
    """The schemas that the file has. Raises UsageError unless it can be brought up to date, naming line and column."""
    try:
        source = parse(file.data.removeprefix(MARK))
        source.tables(schema)
        source.section(schema, "Functions")
    except NotATypesFileError as error:
        raise in_words(file.path, error) from None
    return tuple(source.schemas)


def in_words(path: Path, error: NotATypesFileError) -> UsageError:
    """What is wrong with the file, where, and what to do."""
    return UsageError(
        f"{path}:{error.line}:{error.column}: {error.what}.",
        why=f"So this is no types file that can be brought up to date. {UNTOUCHED}",
        fix="Name the file that Supabase's generator wrote, or write it anew first: npx supabase gen types typescript",
    )


def write_types_file(file: TypesFile, data: bytes) -> TypesFile:
    """Puts `data` in the file's place by a temporary file beside it; mode and owner stay.

    Raises RefusedError if the file is no longer as it was read, UsageError if it cannot be written.
    """
    try:
        require_writable(file)
        found = file.real.stat()
        descriptor, name = tempfile.mkstemp(prefix=f".{file.real.name}.", dir=file.real.parent)
    except OSError as error:
        raise _cannot_write(file, error) from None
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), stat.S_IMODE(found.st_mode))
            with suppress(OSError):  # only root may give files away
                os.fchown(stream.fileno(), found.st_uid, found.st_gid)
            os.fsync(stream.fileno())
        require_unchanged(file)
        temporary.replace(file.real)
    except OSError as error:
        raise _cannot_write(file, error) from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(file.real.parent)
    return TypesFile(file.path, file.real, data)


def require_writable(file: TypesFile) -> None:
    """Raises UsageError where `write_types_file` would, as far as can be told without writing."""
    if not is_writable(file.real):
        raise _cannot_write(file, PermissionError(errno.EACCES, "it may not be written"))
    if not is_writable(file.real.parent):
        raise _cannot_write(file, PermissionError(errno.EACCES, f"nothing may be written in {file.real.parent}"))


def is_writable(path: Path) -> bool:
    """This user may write to the file, or make files in the folder."""
    wanted = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    return os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids)


def require_unchanged(file: TypesFile) -> None:
    """Raises RefusedError if somebody changed, moved or removed the file since it was read."""
    with suppress(OSError):
        if file.path.resolve(strict=True) == file.real and file.real.read_bytes() == file.data:
            return
    raise RefusedError(
        f"{file.path} was changed by somebody else while the wizard looked at it.",
        why="What was shown is not what would be written any more. The file was left as they made it.",
        fix="Look at the new difference: rag-wizard types FILE --diff",
    )


def _cannot_write(file: TypesFile, error: OSError) -> UsageError:
    return UsageError(
        f"{file.path} cannot be written: {error.strerror or error}.",
        why=UNTOUCHED,
        fix="Make the file and its folder writable for you.",
    )


def difference(before: bytes, after: bytes, name: str) -> Sequence[str]:
    """The lines of a unified diff, without their line ends; none where nothing differs."""
    import difflib

    if before == after:
        return ()
    old, new = before.decode().splitlines(), after.decode().splitlines()
    return tuple(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""))
