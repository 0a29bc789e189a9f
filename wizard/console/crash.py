"""The report of an unexpected exception: a file without secrets and one line for people."""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from wizard import __version__
from wizard.errors import WizardError
from wizard.text import visible

_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@]*(@)")
_KEYWORD_PASSWORD = re.compile(
    r"(\b\w*(?:password|passwd|secret|token)\w*['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\S+)", re.I
)


class UnexpectedError(WizardError):
    """A fault in the program itself."""


def masked(text: str) -> str:
    """`text` with passwords in URLs, in conninfo strings and from the environment replaced by ****."""
    text = _KEYWORD_PASSWORD.sub(r"\1****", _URL_PASSWORD.sub(r"\1****\2", text))
    for value in _known_secrets():
        text = text.replace(value, "****")
    return text


def _known_secrets() -> set[str]:
    """Passwords that this process was given, in plain words."""
    given = [os.environ.get("DATABASE_URL", ""), *sys.argv[1:]]
    found = {os.environ.get("PGPASSWORD", "")}
    for text in given:
        for match in re.finditer(
            r"://[^\s:/@]*:(?P<url>\S*)@|\bpassword\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<bare>\S+))", text
        ):
            value = match["url"] or match["quoted"] or match["bare"] or ""
            found |= {value, unquote(value)}
    return {value for value in found if len(value) > 2}


def report_crash(error: BaseException, state_dir: Path) -> UnexpectedError:
    """Write the traceback below `state_dir` (no local variables, secrets masked) and say where in an error."""
    now = datetime.now(UTC)
    trace = "".join(traceback.format_exception(error, limit=-40))
    text = (
        f"rag-wizard {__version__}, Python {platform.python_version()}, {platform.platform()}\n{now.isoformat()}\n\n"
        + visible(masked(trace))
    )
    what = (
        f"Unexpected error: {type(error).__name__}: {visible(masked(str(error))).splitlines()[0] if str(error) else ''}"
    )
    folder = state_dir / "crashes"
    path = folder / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError:
        return UnexpectedError(what, fix="The report could not be written; rag-wizard status tells what is recorded.")
    return UnexpectedError(what, fix=f"Report without secrets: {path}. rag-wizard status tells what is recorded.")
