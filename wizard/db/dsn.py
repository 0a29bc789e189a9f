"""Reading a connection URL or conninfo string as people paste it; which of several sources counts is in resolve.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from wizard.db.dsn_faults import check_shape, check_userinfo, fault

SECRET_KEYWORDS = frozenset({"password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"})
"""libpq keywords whose values are never shown."""

ORM_PARAMETERS = frozenset(
    {
        "async_fallback",
        "binary_parameters",
        "charset",
        "connection_limit",
        "currentschema",
        "default_query_exec_mode",
        "driver",
        "encoding",
        "max_overflow",
        "max_prepared_statements",
        "pgbouncer",
        "pool",
        "pool_max_conns",
        "pool_min_conns",
        "pool_mode",
        "pool_recycle",
        "pool_size",
        "pool_timeout",
        "prepare_threshold",
        "prepared_statement_cache_size",
        "prepared_statements",
        "preparethreshold",
        "schema",
        "serverversion",
        "simple_protocol",
        "single_use_connections",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "statement_cache_size",
        "supa",
        "uselibpqcompat",
        "workaround",
    }
)
"""Parameters that ORMs and drivers read from a URL and libpq does not know, in lower case."""

_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.:-]*)://(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True)
class Parsed:
    """Connection settings under libpq's keywords, and what was dropped or changed on the way."""

    params: dict[str, str] = field(repr=False)
    notices: tuple[str, ...] = ()


def read_dsn(text: str, source: str) -> Parsed:
    """The settings in `text`, a libpq URL or conninfo string that came from `source`.

    Raises UsageError that names the fault and the fix; it never repeats a password.
    """
    text = text.strip()
    check_shape(text, source)
    url = _URL.fullmatch(text)
    params, notices = _read_url(url["scheme"], url["rest"], source) if url else (_read_conninfo(text, source), [])
    if params.pop("options", ""):
        notices.append(
            f"options= in {source} is dropped: a pooler refuses or ignores it; the wizard sets what it needs itself."
        )
    if "," in params.get("host", "") or "," in params.get("hostaddr", ""):
        raise fault(source, "names more than one host", "Name the primary alone: a rollout has one database.")
    if not (params.get("host") or params.get("hostaddr") or params.get("service")):
        raise fault(
            source,
            "names no host",
            "Write it after the @, as in postgresql://postgres@HOST:5432/postgres (for a socket: host=/its/folder).",
        )
    port = params.get("port", "")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise fault(
            source, "has a port that is not a number from 1 to 65535", "Write it after the host, as in HOST:5432."
        )
    return Parsed({key: value for key, value in params.items() if value}, tuple(notices))


def without_password(text: str) -> str:
    """`text` rewritten without any secret, to be shown or pasted. Raises UsageError as `read_dsn` does."""
    params = {key: value for key, value in read_dsn(text, "--dsn").params.items() if key not in SECRET_KEYWORDS}
    if "://" not in text.split("=", 1)[0]:
        return make_conninfo("", **params)
    host, user = params.pop("host", ""), params.pop("user", "")
    port, dbname = params.pop("port", ""), params.pop("dbname", "")
    if host.startswith("/"):
        params["host"], host = host, ""
    host = f"[{host}]" if ":" in host else host
    address = f"{_quoted(user)}@{host}" if user else host
    query = f"?{urlencode(params)}" if params else ""
    return f"postgresql://{address}{f':{port}' if port else ''}/{_quoted(dbname)}{query}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _read_conninfo(text: str, source: str) -> dict[str, str]:
    """Parse `keyword=value ...`; libpq's own message is not passed on, because it quotes what it stumbled over."""
    try:
        found: Mapping[str, object] = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        unknown = [name for name in re.findall(r"(?:^|\s)(\w+)\s*=", text) if name not in known_keywords()]
        # Behind a password without quotes, a word may be its rest.
        if unknown and not re.search(r"password\s*=", text):
            names = ", ".join(unknown)
            raise fault(
                source, f"has settings that libpq does not know: {names}", "Leave them out, or correct them."
            ) from None
        raise fault(
            source,
            "is neither a URL nor a conninfo string",
            "Write postgresql://USER@HOST:5432/DATABASE or host=HOST port=5432 dbname=DATABASE user=USER.",
        ) from None
    return {key: str(value) for key, value in found.items()}


def known_keywords() -> frozenset[str]:
    """Every keyword that the installed libpq accepts."""
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def _read_url(scheme: str, rest: str, source: str) -> tuple[dict[str, str], list[str]]:
    """Split a URL the way libpq does, after looking for what libpq would misread."""
    notices = _scheme_notices(scheme, source)
    userinfo, rest = _split_userinfo(rest)
    user, _, password = userinfo.partition(":")
    check_userinfo(user, password, source)
    location, _, query = rest.partition("?")
    hostport, _, dbname = location.partition("/")
    params, more = _read_query(query, source)
    host, port = _split_host(hostport)
    named = {"user": user, "password": password, "host": host, "dbname": dbname}
    for key, value in named.items():
        if value:
            params[key] = unquote(value)
    if port:
        params["port"] = port
    return params, notices + more


def _split_userinfo(rest: str) -> tuple[str, str]:
    """Everything before the last @ that is not part of the query; a password may wrongly hold @, / or ? itself."""
    at = rest.rfind("@")
    query = re.search(r"\?[\w.-]+=", rest)
    if query and at > query.start():
        before = rest.rfind("@", 0, query.start())
        # Without an @ before it, `user:pass?word=` is no host with a port: the rest of a password is no parameter.
        at = at if before < 0 and re.fullmatch(r"[^/:\[]+:[^/]*[^/\d][^/]*", rest[: query.start()]) else before
    return (rest[:at], rest[at + 1 :]) if at >= 0 else ("", rest)


def _split_host(hostport: str) -> tuple[str, str]:
    """Host and port, also of [::1]:5432."""
    if hostport.startswith("["):
        host, _, port = hostport[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = hostport.partition(":")
    return host, port


def _scheme_notices(scheme: str, source: str) -> list[str]:
    """Accept postgresql and postgres, also with a driver's name attached, which is dropped by name."""
    plain = scheme.lower().removeprefix("jdbc:")
    base, _, driver = plain.partition("+")
    if base not in {"postgresql", "postgres"}:
        raise fault(
            source,
            f"begins with {scheme}://, which is no PostgreSQL connection",
            "Use the connection string: postgresql://USER:PASSWORD@HOST:5432/postgres (Supabase: Connect, at the top).",
        )
    dropped = [f"+{driver}"] if driver else []
    if plain != scheme.lower():
        dropped.append("jdbc:")
    return [f"{name} in {source} is dropped: it names a driver, not a database." for name in dropped]


def _read_query(query: str, source: str) -> tuple[dict[str, str], list[str]]:
    """The parameters after the question mark: libpq's are kept, those of ORMs dropped by name, others refused."""
    params: dict[str, str] = {}
    notices: list[str] = []
    dropped: list[str] = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        value = unquote(value)
        if name == "ssl":
            mode = value if value in _SSL_MODES else "require" if value in {"true", "1"} else "disable"
            params.setdefault("sslmode", mode)
            notices.append(f"ssl={value} in {source} is read as sslmode={mode}.")
        elif name in known_keywords():
            params[name] = value
        elif name.lower() in ORM_PARAMETERS:
            dropped.append(f"{name}=")
            notices += _hint(name, value)
        else:
            raise fault(source, f"has a parameter that libpq does not know: {name}", "Leave it out, or correct it.")
    if dropped:
        names = ", ".join(dropped)
        notices.insert(0, f"Dropped from {source}, since they speak to an ORM and not to PostgreSQL: {names}.")
    return params, notices


def _hint(name: str, value: str) -> list[str]:
    """What to use instead, where dropping the parameter would change what was meant."""
    if name.lower() in {"schema", "currentschema"} and value != "public":
        return [f"To roll out into schema {value}, use --schema {value}."]
    if name.lower() == "sslaccept" and value != "accept_invalid_certs":
        return ["To verify the server's certificate, use sslmode=verify-full."]
    return []
