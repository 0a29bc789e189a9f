"""How a project of Supabase's is recognized by the host and the user of a connection: the only place that knows."""

from __future__ import annotations

import re

_DOMAIN = r"supabase\.(?:co|com|in|net)"
_ANY_HOST = re.compile(rf"(?:.+\.)?{_DOMAIN}")
_OWN_HOST = re.compile(rf"db\.(?P<ref>[a-z0-9]+)\.{_DOMAIN}")
_POOLER_HOST = re.compile(rf".+\.pooler\.{_DOMAIN}")
_POOLER_USER = re.compile(r"[^.]+\.(?P<ref>[a-z0-9]+)")


def is_supabase(host: str) -> bool:
    """True for a project's own host and for its poolers."""
    return _ANY_HOST.fullmatch(host.lower()) is not None


def is_own_host(host: str) -> bool:
    """True for `db.<ref>.supabase.co`, which is the project's server itself."""
    return _OWN_HOST.fullmatch(host.lower()) is not None


def is_pooler_host(host: str) -> bool:
    """True for the hosts of Supabase's shared poolers."""
    return _POOLER_HOST.fullmatch(host.lower()) is not None


def supabase_ref(host: str, user: str) -> str:
    """The project's ref from `db.<ref>.supabase.co` or the pooler's user `postgres.<ref>`; "" for other databases.

    A tunnel to the pooler keeps that user, so a ref also tells a project behind a local port.
    """
    own = _OWN_HOST.fullmatch(host.lower())
    if own:
        return own["ref"]
    pooled = _POOLER_USER.fullmatch(user)
    if pooled and (is_pooler_host(host) or user.startswith("postgres.")):
        return pooled["ref"]
    return ""
