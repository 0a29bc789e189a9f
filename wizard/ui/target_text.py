"""A target as it is typed: when its line is hidden, and what of it is shown again. It connects to nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wizard.errors import UsageError

if TYPE_CHECKING:
    from wizard.launch import Launch

_SECRET = re.compile(
    r"""
    ://[^/?\#@]*:                                  # behind the user of a URL
    | ^[^/?\#@=\s]*:(?!/{0,2}$|//)                 # of one whose scheme was forgotten
    | ^[^?\#=\s]*@[^/?\#=\s]*:                    # behind a user with an @ in it, unless it is a port
      (?!\d{0,5}(?:[/?\#,]|$)|[\da-f:.]*\])
    | (?:pass|secret|key)\w*\s*=                  # behind a keyword
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""From here on a password may come."""
_USERINFO = re.compile(r"(://[^:/@?#]*):.*@", re.DOTALL)
_PORT = re.compile(r"((?:^|://)[^:/@?#]+):\d{1,5}(?=[/?]|$)")
SERVICE = "service="


def may_hold_secret(text: str, shown: str = "") -> bool:
    """True from the sign on behind which a password begins, so that none of it is ever drawn.

    Digits behind a host may be a password's first while they are typed; in a text that is whole, as what was `shown`
    before is, they are a port.
    """
    port = None if "@" in text else _PORT.search(text)
    if port is not None and shown.startswith(text[: port.end()]):
        text = _PORT.sub(r"\1", text)
    return _SECRET.search(text) is not None


def holds_secret(text: str) -> bool:
    """A password stands in a text that was typed to its end."""
    return may_hold_secret(text, shown=text)


def has_secret(launch: Launch) -> bool:
    """A password was given with the target."""
    return launch.password is not None or holds_secret(launch.dsn or "")


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
        return "" if holds_secret(left) else left
