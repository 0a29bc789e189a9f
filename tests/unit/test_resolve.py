"""Which database is meant: sources, their order, names, environments. No connection is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from wizard.db.resolve import NoTargetError, is_local, name_environment, resolve_target
from wizard.db.supabase import supabase_ref
from wizard.db.target import Target
from wizard.errors import ConnectionUnsuitableError, ExitCode, UsageError

VARIABLES = (
    *("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER"),
    *("PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT", "PGOPTIONS", "DATABASE_URL", "RAG_WIZARD_ENV"),
)
REF = "abcdefghijklmnopqrst"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests may leak in."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def params(target: Target) -> dict[str, object]:
    return dict(conninfo_to_dict(target.conninfo.get_secret_value()))


def test_without_any_setting_nothing_is_guessed() -> None:
    with pytest.raises(NoTargetError) as caught:
        resolve_target(None)
    assert caught.value.exit_code == ExitCode.CONNECTION
    assert "--dsn" in caught.value.fix


def test_a_database_name_alone_is_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATABASE", "app")
    with pytest.raises(NoTargetError, match="PGDATABASE is set, but no host"):
        resolve_target(None)


def test_libpqs_variables_name_a_target_and_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.org")
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGUSER", "ada")
    monkeypatch.setenv("PGDATABASE", "app")

    target = resolve_target(None)

    assert target.address == "db.example.org:6000/app as ada"
    assert target.source == "PGHOST=db.example.org"
    assert target.name == "db.example.org/app"


def test_database_url_is_used_when_libpq_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:geheim@db.example.org/app")

    target = resolve_target(None)

    assert target.source == "DATABASE_URL"
    assert params(target)["password"] == "geheim"
    assert "geheim" not in repr(target)


def test_two_sources_that_agree_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.org")
    monkeypatch.setenv("PGUSER", "ada")
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada@db.example.org:5432/ada")

    assert resolve_target(None).source == "PGHOST=db.example.org"


def test_two_sources_that_disagree_stop_and_both_are_shown_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "one.example.org")
    monkeypatch.setenv("PGUSER", "ada")
    monkeypatch.setenv("PGPASSWORD", "geheim1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:geheim2@two.example.org/ada")

    with pytest.raises(UsageError) as caught:
        resolve_target(None)

    words = str(caught.value)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "one.example.org:5432/ada as ada" in words
    assert "two.example.org:5432/ada as ada" in words
    assert "geheim" not in words


def test_a_dsn_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "one.example.org")
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.9")
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("DATABASE_URL", "postgresql://two.example.org/x")

    target = resolve_target("host=three.example.org user=ada dbname=app")

    assert target.address == "three.example.org:5432/app as ada"
    assert params(target)["hostaddr"] == ""


def test_a_service_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services").write_text(
        "# ours\n[other]\nhost=other.example.org\n[acme]\nhost=db.example.org\nport=6001\nuser=ada\ndbname=app\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "acme")

    target = resolve_target(None)

    assert target.address == "db.example.org:6001/app as ada"
    assert target.source == "PGSERVICE=acme"


def test_a_missing_service_is_named_with_the_places_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "nowhere")
    with pytest.raises(UsageError, match=r"no service nowhere.*\n.*\.pg_service\.conf"):
        resolve_target(None)


def test_a_service_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text("[acme]\ndbname=app\n")
    with pytest.raises(UsageError, match="names no host"):
        resolve_target("service=acme")


@pytest.mark.parametrize(
    ("host", "user", "ref"),
    [
        (f"db.{REF}.supabase.co", "postgres", REF),
        ("aws-0-eu-west-1.pooler.supabase.com", f"postgres.{REF}", REF),
        ("aws-0-eu-west-1.pooler.supabase.com", f"cli_login.{REF}", REF),
        ("localhost", f"postgres.{REF}", REF),
        ("db.example.org", "ada.lovelace", ""),
        ("db.example.org", "postgres", ""),
    ],
)
def test_the_supabase_ref_comes_from_host_or_user(host: str, user: str, ref: str) -> None:
    assert supabase_ref(host, user) == ref


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "/var/run/postgresql", "@abstract"])
def test_loopback_and_sockets_are_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.4", "db.example.org", "localhost.example.org", "::2"])
def test_everything_else_is_not_local(host: str) -> None:
    assert not is_local(host)


def test_a_host_that_is_not_local_is_production_and_asks_for_tls() -> None:
    target = resolve_target("postgresql://ada@db.example.org/app")

    assert (target.env, target.production) == ("production", True)
    assert params(target)["sslmode"] == "require"


def test_a_local_host_is_neither() -> None:
    target = resolve_target("postgresql://ada@localhost/app")

    assert (target.env, target.production, target.local) == ("local", False, True)
    assert "sslmode" not in params(target)


def test_a_tunnel_to_a_supabase_project_is_still_production() -> None:
    target = resolve_target(f"postgresql://postgres.{REF}@localhost:6543/postgres")

    assert (target.name, target.production) == (REF, True)


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
@pytest.mark.parametrize(
    "host", ["db.example.org", "10.0.0.7", f"db.{REF}.supabase.co", "aws-0-eu-west-1.pooler.supabase.com"]
)
def test_a_host_that_is_not_local_is_never_spoken_to_without_tls(host: str, mode: str) -> None:
    with pytest.raises(ConnectionUnsuitableError) as refused:
        resolve_target(f"postgresql://ada:geheim@{host}/app?sslmode={mode}")

    assert refused.value.exit_code == ExitCode.CONNECTION
    assert f"sslmode={mode} (--dsn)" in refused.value.what
    assert "tunnel" in refused.value.fix
    assert "geheim" not in str(refused.value)


def test_an_sslmode_of_the_environment_or_a_service_is_judged_too_and_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".pg_service.conf").write_text("[acme]\nhost=db.example.org\nuser=ada\nsslmode=allow\n")
    with pytest.raises(ConnectionUnsuitableError, match="sslmode=allow"):
        resolve_target("service=acme")

    monkeypatch.setenv("PGSSLMODE", "prefer")
    with pytest.raises(ConnectionUnsuitableError, match=r"sslmode=prefer \(PGSSLMODE\)"):
        resolve_target("postgresql://ada@db.example.org/app")
    assert params(resolve_target("postgresql://ada@db.example.org/app?sslmode=verify-full"))["sslmode"] == "verify-full"


@pytest.mark.parametrize("dsn", ["host=db.example.org hostaddr=127.0.0.1", "host=localhost hostaddr=10.0.0.7"])
def test_a_name_or_an_address_that_is_not_local_makes_a_target_remote(dsn: str) -> None:
    target = resolve_target(f"{dsn} user=ada dbname=app")

    assert (target.local, target.production) == (False, True)
    assert params(target)["sslmode"] == "require"


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_a_local_host_may_do_without_tls(mode: str) -> None:
    target = resolve_target(f"postgresql://ada@localhost/app?sslmode={mode}")

    assert params(target)["sslmode"] == mode
    assert target.notices == ()


def test_verifying_is_recommended_once_and_only_where_nothing_is_verified() -> None:
    dsn = "postgresql://ada@db.example.org/app?"

    for given in ("", "sslmode=require"):
        (notice,) = resolve_target(dsn + given).notices
        assert "sslmode=verify-full sslrootcert=FILE" in notice
        assert "Download certificate" in notice
    for given in ("sslmode=verify-full&sslrootcert=ca.pem", "sslmode=verify-ca", "sslrootcert=ca.pem"):
        assert resolve_target(dsn + given).notices == ()


def test_a_password_that_was_typed_is_added_and_not_shown() -> None:
    target = resolve_target("postgresql://ada@localhost/app", password=SecretStr("ge heim'\\"))

    assert params(target)["password"] == "ge heim'\\"
    assert "heim" not in repr(target)


def test_the_environment_is_named_by_option_then_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = "postgresql://ada@db.example.org/app"
    monkeypatch.setenv("RAG_WIZARD_ENV", "staging")

    assert (resolve_target(dsn).env, resolve_target(dsn).production) == ("staging", False)
    assert resolve_target(dsn, env="prod-eu").production


@pytest.mark.parametrize(
    ("given", "production"),
    [
        *(
            (name, True)
            for name in ("production", "Prod", "prod-eu", "live", "eu-production", "acme_prod", "PRD", "prod2")
        ),
        *((name, False) for name in ("pre-prod", "non_production", "product", "staging", "delivery")),
    ],
)
def test_names_that_mean_production(given: str, production: bool) -> None:
    assert name_environment(given, local=True) == (given, production)


def test_the_name_given_by_the_operator_wins() -> None:
    assert resolve_target(f"postgresql://postgres@db.{REF}.supabase.co/postgres", target_name="acme").name == "acme"


def test_pgoptions_never_reaches_the_server_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=evil")

    target = resolve_target("postgresql://ada@localhost/app")

    assert params(target)["options"] == ""
    assert any("PGOPTIONS" in notice for notice in target.notices)
