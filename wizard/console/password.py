"""The question for a password: only on a terminal, and only when the server asked for one and none was found."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from wizard.console.ask import is_interactive
from wizard.errors import WizardError
from wizard.text import one_line

if TYPE_CHECKING:
    from wizard.launch import Launch

_SOURCES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "DATABASE_URL")
_PASSWORD = re.compile(r"://[^/?#@]*:[^@]|\bpassword\s*=", re.IGNORECASE)


def with_password(launch: Launch) -> Launch:
    """`launch` with the password that the operator typed, if one is needed and somebody is there to be asked.

    Raises what resolving the target or connecting to it raises.
    """
    if launch.demo or not is_interactive() or _has_password_or_no_target(launch):
        return launch
    from pydantic import SecretStr

    from wizard.db.connect import needs_password
    from wizard.db.resolve import resolve_target

    target = resolve_target(launch.dsn, target_name=launch.target_name, env=launch.env)
    if not needs_password(target):
        return launch
    prompt = f"Password of {one_line(target.user)} on {one_line(target.name)} (not shown): "
    try:
        typed = getpass.getpass(prompt, stream=sys.stderr)
    except EOFError:
        typed = ""
    return replace(launch, password=SecretStr(typed)) if typed else launch


def with_password_for_screen(launch: Launch) -> Launch:
    """The same before the screen begins, which tells everything else that is wrong with a target itself."""
    try:
        return with_password(launch)
    except WizardError:
        return launch


def _has_password_or_no_target(launch: Launch) -> bool:
    """Told from the text alone: the first paint does not wait for the driver to load."""
    if os.environ.get("PGPASSWORD"):
        return True
    if launch.dsn is not None:
        return _PASSWORD.search(launch.dsn) is not None
    given = {name for name in _SOURCES if os.environ.get(name)}
    return not given or (given == {"DATABASE_URL"} and _PASSWORD.search(os.environ["DATABASE_URL"]) is not None)
