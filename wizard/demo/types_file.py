"""The demo's own types/database.ts: what Supabase's generator prints for the demo database before the rollout."""

from __future__ import annotations

from pathlib import Path

from wizard.export.files import write_atomically

_AS_GENERATED = Path(__file__).parent / "database.ts"


def types_file_of(state_dir: Path) -> Path:
    """Where the demo of this state folder has its types file."""
    return state_dir.absolute() / "demo" / "types" / "database.ts"


def make_types_file(state_dir: Path, *, anew: bool) -> None:
    """Write it where it is missing; `anew`: also over what is there, for a demo that begins anew."""
    path = types_file_of(state_dir)
    if anew or not path.exists():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomically(path, _AS_GENERATED.read_text(encoding="utf-8"), force=True)
        path.chmod(0o644)
