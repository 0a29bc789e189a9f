"""libpq's service file: named sets of connection settings. Only reading it; what they mean is in resolve.py."""

from __future__ import annotations

import os
from pathlib import Path

from wizard.errors import UsageError


def read_service(name: str) -> tuple[dict[str, str], Path]:
    """The entries of service `name` and the file they stand in; UsageError if no file has it.

    Searched as libpq does: PGSERVICEFILE or ~/.pg_service.conf, then pg_service.conf in PGSYSCONFDIR.
    """
    paths = [Path(os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf")]
    if os.environ.get("PGSYSCONFDIR"):
        paths.append(Path(os.environ["PGSYSCONFDIR"]) / "pg_service.conf")
    for path in paths:
        entries = _section(path, name)
        if entries is not None:
            return entries, path
    raise UsageError(
        f"There is no service {name}.",
        why=f"Looked in {', '.join(map(str, paths))}.",
        fix=f"Add a section [{name}] there, or set PGSERVICEFILE to the file that has it.",
    )


def _section(path: Path, name: str) -> dict[str, str] | None:
    """The key=value lines below [name]; None if the file or the section is missing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    entries: dict[str, str] | None = None
    for raw in lines:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if entries is not None:
                break
            entries = {} if line == f"[{name}]" else None
        elif entries is not None:
            key, _, value = line.partition("=")
            entries[key.strip()] = value.strip()
    return entries
