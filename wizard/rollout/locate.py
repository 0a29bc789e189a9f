"""Finds the built-in rollout: inside the installed package, or at the repository's root in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def builtin_folder() -> Path:
    """The folder that holds the built-in steps/ and sql/. The wheel carries them as wizard/phase1/."""
    installed = _PACKAGE / "phase1"
    return installed if installed.is_dir() else _PACKAGE.parent
