"""A target as it is typed: when its line is hidden, and what of it is shown again. It connects to nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wizard.errors import UsageError

if TYPE_CHECKING:
    from wizard.launch import Launch

_SECRET = re.compile(r"://[^/?#@]*:|(?:pass|secret|key)\w*\s*=", re.IGNORECASE)
"""From here on a password may come: behind the user of a URL, or behind a keyword."""
_USERINFO = re.compile(r"(://[^:/@?#]*):.*@", re.DOTALL)
_PORT = re.compile(r"(://[^:/@?#]+):\d{1,5}(?=[/?]|$)")
SERVICE = "service="


def may_hold_secret(text: str) -> bool:
    """True from the sign on behind which a password begins, so that none of it is ever drawn."""
    return _SECRET.search(text) is not None


def has_secret(launch: Launch) -> bool:
    """A password was given with the target."""
    return launch.password is not None or may_hold_secret(launch.dsn or "")


def typed_before(launch: Launch) -> tuple[str, str]:
    """The way in which the target was named (url, service, demo), and its text without a password."""
    if launch.demo:
        return "demo", ""
    text = launch.dsn or ""
    if text.startswith(SERVICE) and " " not in text:
        return "service", text.removeprefix(SERVICE)
    return "url", _without_secret(text)


def _without_secret(text: str) -> str:
    """Nothing at all where it cannot be told which part of a faulty text is the password."""
    from wizard.db.dsn import without_password

    if not text:
        return ""
    try:
        return without_password(text)
    except UsageError:
        left = _USERINFO.sub(r"\1@", text)
        return "" if may_hold_secret(_PORT.sub(r"\1", left)) else left
