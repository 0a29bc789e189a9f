"""Where a demo cluster lies and what is written down about it; it starts nothing."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from wizard.demo.account import Account
from wizard.demo.binaries import SHARED_ROOT
from wizard.export.files import write_atomically


class Record(BaseModel):
    """What must be known to use a cluster again; kept in the state folder, readable by its owner alone."""

    model_config = ConfigDict(frozen=True)

    data_dir: Path
    password: SecretStr
    rows: int
    """Clones it was made with."""
    complete: bool
    """False until the last row was in: what a killed process left half made is made anew."""

    @field_serializer("password")
    def _reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()


class Place:
    """The folder `demo` of a state folder, with the record; the cluster is in it, or where its account can reach it."""

    def __init__(self, state_dir: Path, account: Account | None, shared_root: Path = SHARED_ROOT) -> None:
        self.folder = state_dir.resolve() / "demo"
        self._account = account
        self._shared_root = shared_root
        self._record_path = self.folder / "cluster.json"

    def make_folder(self) -> None:
        """Create the folder where it is missing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account is not None:
            self.folder.chmod(0o711)  # the server's account passes through; the record is 0600, the cluster 0700

    def read(self) -> Record | None:
        """The record, or None if there is none that can be read as one."""
        try:
            return Record.model_validate_json(self._record_path.read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return None

    def write(self, record: Record) -> None:
        """Replace the record in one move."""
        write_atomically(self._record_path, record.model_dump_json(), force=True)

    def make_data_dir(self) -> Path:
        """The path for a new cluster: its parent exists, it does not."""
        if self._account is None or self._account.can_pass(self.folder):
            parent = self.folder
        else:
            # A state folder below /root (mode 700) is closed to the account that has to run the server.
            self._sweep()
            parent = self._shared_root / f"demo-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            (parent / "belongs-to").write_text(str(self.folder), encoding="utf-8")
        data_dir = parent / "cluster"
        shutil.rmtree(data_dir, ignore_errors=True)
        return data_dir

    def _sweep(self) -> None:
        """Remove clusters below the shared folder whose state folder is gone and which nobody runs."""
        for note in self._shared_root.glob("demo-*/belongs-to"):
            running = (note.parent / "cluster" / "postmaster.pid").exists()
            if not running and not Path(note.read_text(encoding="utf-8")).exists():
                shutil.rmtree(note.parent, ignore_errors=True)
