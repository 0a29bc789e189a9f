"""Which database is meant: --dsn, else libpq's variables, else DATABASE_URL. It opens no connection."""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
from dataclasses import replace

from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from wizard.db.dsn import Parsed, known_keywords, read_dsn
from wizard.db.service import read_service
from wizard.db.supabase import supabase_ref
from wizard.db.target import Target
from wizard.db.tls import settle_sslmode
from wizard.errors import ConnectionUnsuitableError, UsageError

_PRODUCTION = frozenset({"prod", "prd", "production", "live"})
_NOT_YET = frozenset({"pre", "non", "not", "no"})
"""Before such a word: `pre-prod` is not production."""


class NoTargetError(ConnectionUnsuitableError):
    """No setting names a database: a screen asks, a command exits 4."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "No database was named, and none is guessed.",
            why=why,
            fix="Use --dsn postgresql://USER@HOST:5432/DATABASE, set PGSERVICE, PGHOST or DATABASE_URL, or try --demo.",
        )


def resolve_target(
    dsn: str | None, *, target_name: str = "", env: str = "", password: SecretStr | None = None
) -> Target:
    """The target that `dsn` or the environment names; `target_name` and `env` override what is found.

    `password` is what the operator typed, because none was found. Raises UsageError for faulty or contradicting
    settings, NoTargetError when there are none, ConnectionUnsuitableError for a connection without TLS to a host that
    is not local.
    """
    target = _find_target(dsn, target_name, env)
    if password is None:
        return target
    conninfo = make_conninfo(target.conninfo.get_secret_value(), password=password.get_secret_value())
    return replace(target, conninfo=SecretStr(conninfo))


def _find_target(dsn: str | None, target_name: str, env: str) -> Target:
    if dsn is not None:
        return _target(_with_service(read_dsn(dsn, "--dsn"), "--dsn"), "--dsn", target_name, env)
    found = []
    libpq = _from_libpq_variables()
    if libpq:
        found.append(_target(*libpq, target_name, env))
    url = os.environ.get("DATABASE_URL", "").strip()
    if url:
        parsed = _with_service(read_dsn(url, "DATABASE_URL"), "DATABASE_URL")
        found.append(_target(parsed, "DATABASE_URL", target_name, env))
    if not found:
        raise NoTargetError(_why_none())
    if len({(t.host, t.port, t.dbname, t.user) for t in found}) > 1:
        raise UsageError(
            "The environment names two databases.",
            why="; ".join(f"{target.source}: {target.address}" for target in found) + ".",
            fix="Unset one of them, or name the one you mean with --dsn.",
        )
    return found[0]


def _why_none() -> str:
    rest = [name for name in ("PGDATABASE", "PGUSER", "PGPORT") if os.environ.get(name)]
    if rest:
        verb = "is" if len(rest) == 1 else "are"
        return f"{', '.join(rest)} {verb} set, but no host: libpq's silent default host is not used for a rollout."
    return "Neither --dsn nor --demo was given, and PGSERVICE, PGHOST and DATABASE_URL are not set."


def _from_libpq_variables() -> tuple[Parsed, str] | None:
    """What PGSERVICE, PGHOST and their companions say, and the name of the source; None if they name no host.

    PGPASSWORD, PGPASSFILE and the TLS files are left to libpq, which reads them itself.
    """
    variables = {
        "service": "PGSERVICE",
        "host": "PGHOST",
        "hostaddr": "PGHOSTADDR",
        "port": "PGPORT",
        "dbname": "PGDATABASE",
        "user": "PGUSER",
    }
    params = {keyword: os.environ[name] for keyword, name in variables.items() if os.environ.get(name)}
    leading = next((key for key in ("service", "host", "hostaddr") if key in params), None)
    if leading is None:
        return None
    source = f"{variables[leading]}={params[leading]}"
    return _with_service(Parsed(params), source), source


def _with_service(parsed: Parsed, source: str) -> Parsed:
    """`parsed` with the entries of the service it names. As in libpq, they win over variables, not over a dsn."""
    name = parsed.params.get("service")
    if not name:
        return parsed
    entries, path = read_service(name)
    unknown = entries.keys() - known_keywords()
    if unknown:
        raise UsageError(f"Service {name} in {path} has an unknown setting: {', '.join(sorted(unknown))}.")
    own = {key: value for key, value in parsed.params.items() if key != "service"}
    params = {**entries, **own} if source in {"--dsn", "DATABASE_URL"} else {**own, **entries}
    notices = [*parsed.notices]
    if params.pop("options", ""):
        notices.append(f"options= of service {name} is dropped: a pooler refuses or ignores it.")
    if not (params.get("host") or params.get("hostaddr")):
        raise UsageError(f"Service {name} in {path} names no host.", fix="Add a line host=HOST there.")
    return Parsed(params, tuple(notices))


def _target(parsed: Parsed, source: str, target_name: str, env: str) -> Target:
    """Complete the settings so that nothing is left to libpq's defaults, and name the target."""
    params = dict(parsed.params)
    notices = [*parsed.notices]
    host = params.get("host") or params["hostaddr"]
    params.setdefault("host", host)
    params.setdefault("hostaddr", "")  # else PGHOSTADDR would lead somewhere else than the header says
    user = params.setdefault("user", os.environ.get("PGUSER") or _os_user())
    dbname = params.setdefault("dbname", user)
    port = int(params.setdefault("port", "5432"))
    params["options"] = ""  # else PGOPTIONS would be sent, which poolers refuse
    if os.environ.get("PGOPTIONS"):
        notices.append("PGOPTIONS is ignored: a pooler refuses or ignores it; the wizard sets what it needs itself.")
    # A name that is not local stays so behind a tunnel: it is what a certificate would be checked against.
    local = is_local(host) and is_local(params["hostaddr"] or host)
    if not local:
        notices += _require_tls(params, source, host)
    ref = supabase_ref(host, user)
    env_name, production = name_environment(env or os.environ.get("RAG_WIZARD_ENV", ""), local=local and not ref)
    return Target(
        conninfo=SecretStr(make_conninfo("", **params)),
        name=target_name or ref or f"{'localhost' if host.startswith(('/', '@')) else host}/{dbname}",
        host=host,
        port=port,
        dbname=dbname,
        user=user,
        source=source,
        env=env_name,
        production=production,
        local=local,
        notices=tuple(notices),
    )


def _require_tls(params: dict[str, str], source: str, host: str) -> list[str]:
    """Set sslmode in `params` where it is left open; what the operator should know about it."""
    given, where = params.get("sslmode", ""), source
    if not given and os.environ.get("PGSSLMODE"):
        given, where = os.environ["PGSSLMODE"], "PGSSLMODE"
    root = params.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or ""
    params["sslmode"], notice = settle_sslmode(given, where, host, root=root)
    return [notice] if notice else []


def name_environment(given: str, *, local: bool) -> tuple[str, bool]:
    """The environment's name and whether it counts as production: what was `given`, else production unless `local`."""
    if given:
        words = [word.rstrip("0123456789") for word in re.split(r"[-_. /]+", given.strip().lower())]
        pairs = zip(["", *words], words, strict=False)
        return given, any(word in _PRODUCTION and before not in _NOT_YET for before, word in pairs)
    return ("local", False) if local else ("production", True)


def is_local(host: str) -> bool:
    """True for a socket's folder, localhost and loopback addresses."""
    if host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("The connection names no user.", fix="Write it before the host, as in USER@HOST.") from None
