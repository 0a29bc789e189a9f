"""The mistakes people make in connection URLs, each with its fix, never with the password; dsn.py reads URLs."""

from __future__ import annotations

import re

from wizard.errors import UsageError

_PLACEHOLDER = re.compile(
    r"\[[A-Z_-]*PASSWORD[A-Z_-]*\]|<[a-z_-]*password[a-z_-]*>|\$\{?\w*PASSWORD\w*\}?|YOUR[-_]PASSWORD", re.I
)
_SUPABASE_SITE = re.compile(r"(?:https?://)?(?P<ref>[a-z0-9]+)\.supabase\.(?:co|com|in)(?:/.*)?", re.I)
_SUPABASE_PAGE = re.compile(r"https?://(?:app\.|www\.)?supabase\.(?:com|io)/.*", re.I)
_UNSAFE = "@/?#[] "


def fault(source: str, what: str, fix: str) -> UsageError:
    """The error for a faulty connection setting; `what` continues "The target given by SOURCE"."""
    return UsageError(f"The target given by {source} {what}.", fix=fix)


def check_shape(text: str, source: str) -> None:
    """Raise UsageError for what is no connection string at all: empty, a web address, a whole psql command."""
    if not text:
        raise fault(source, "is empty", "Give a URL such as postgresql://USER@HOST:5432/DATABASE; is a variable unset?")
    site = _SUPABASE_SITE.fullmatch(text)
    if site and not text.lower().startswith("db."):
        raise fault(
            source,
            "is the web address of a Supabase project, not its database",
            f"Use the connection string: postgresql://postgres:PASSWORD@db.{site['ref']}.supabase.co:5432/postgres"
            " (Connect, at the top of the project's page).",
        )
    if _SUPABASE_PAGE.fullmatch(text):
        raise fault(
            source,
            "is a page of the Supabase dashboard, not a database",
            "Use the connection string shown there under Connect.",
        )
    if re.match(r"psql\s", text):
        raise fault(source, "is a whole psql command", "Give only the URL in it, without psql and quotes.")


def check_userinfo(user: str, password: str, source: str) -> None:
    """Raise UsageError for a placeholder or unescaped characters before the @ of a URL."""
    placeholder = _PLACEHOLDER.fullmatch(password)
    if placeholder:
        raise fault(
            source,
            f"still holds the placeholder {placeholder[0]}",
            "Put the database's password there (Supabase: Database, Settings, reset it if it is lost).",
        )
    for part, words in ((user, "user name"), (password, "password")):
        found = sorted({character for character in part if character in _UNSAFE})
        if re.search(r"%(?![0-9A-Fa-f]{2})", part):
            found.append("%")
        if found:
            shown = "a space" if found == [" "] else " ".join(found)
            escapes = ", ".join(f"{'a space' if c == ' ' else c} as %{ord(c):02X}" for c in found)
            raise fault(
                source,
                f"has an unescaped {shown} in the {words} (****)",
                f"In a URL write {escapes}; or leave the password out and set PGPASSWORD.",
            )
