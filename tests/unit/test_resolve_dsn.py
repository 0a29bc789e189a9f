"""Connection strings as people paste them: what is read, dropped by name, or refused with the fix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from wizard.db.dsn import read_dsn, without_password
from wizard.errors import UsageError

PASSWORD = "s3cr3t-Wort"


def read(text: str) -> dict[str, str]:
    return read_dsn(text, "--dsn").params


def notices(text: str) -> str:
    return "\n".join(read_dsn(text, "--dsn").notices)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:geheim@db.example.org:6000/app?sslmode=verify-full&application_name=x",
        "postgres://ada@[::1]:5433/app",
        "postgresql://ada:p%40ss%2Fw%23@db.example.org/my%20db",
        "postgresql://db.example.org",
        "postgresql://ada@/app?host=/var/run/postgresql",
        "postgresql://ada@db.example.org/app?connect_timeout=3",
    ],
)
def test_a_good_url_is_read_as_libpq_reads_it(url: str) -> None:
    assert read(url) == {key: str(value) for key, value in conninfo_to_dict(url).items()}


def test_a_conninfo_string_is_read_too() -> None:
    assert read("host=db.example.org port=6000 password='a b'") == {
        "host": "db.example.org",
        "port": "6000",
        "password": "a b",
    }


def test_parameters_of_orms_are_dropped_by_name() -> None:
    url = (
        "postgresql+asyncpg://ada@db.example.org/app?pgbouncer=true&schema=app2&connection_limit=1&pool_timeout=0"
        "&sslaccept=strict&statement_cache_size=0&prepared_statement_cache_size=0&sslmode=require"
    )

    assert read(url) == {"user": "ada", "host": "db.example.org", "dbname": "app", "sslmode": "require"}
    words = notices(url)
    for name in ("+asyncpg", "pgbouncer=", "schema=", "connection_limit=", "pool_timeout=", "statement_cache_size="):
        assert name in words
    assert "--schema app2" in words
    assert "sslmode=verify-full" in words


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "postgres+psycopg", "jdbc:postgresql"])
def test_a_drivers_name_in_the_scheme_is_dropped(scheme: str) -> None:
    assert read(f"{scheme}://db.example.org/app") == {"host": "db.example.org", "dbname": "app"}
    assert "names a driver" in notices(f"{scheme}://db.example.org/app")


def test_options_are_dropped_with_the_reason() -> None:
    url = "postgresql://db.example.org/app?options=-c%20search_path%3Dx"
    assert "options" not in read(url)
    assert "pooler" in notices(url)


@pytest.mark.parametrize(("value", "mode"), [("true", "require"), ("verify-full", "verify-full"), ("false", "disable")])
def test_ssl_becomes_sslmode(value: str, mode: str) -> None:
    assert read(f"postgresql://db.example.org/app?ssl={value}")["sslmode"] == mode


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("", "is empty", "variable unset"),
        ("postgresql://ada:x@y@db.example.org/app", "unescaped @ in the password", "@ as %40"),
        ("postgresql://ada:x#y@db.example.org/app", "unescaped # in the password", "# as %23"),
        ("postgresql://ada:x/y@db.example.org/app", "unescaped / in the password", "/ as %2F"),
        ("postgresql://ada:x?y@db.example.org/app", "unescaped ? in the password", "? as %3F"),
        ("postgresql://ada:x?tok=y@db.example.org/app", "unescaped ? in the password", "? as %3F"),
        ("postgresql://ada:x%y@db.example.org/app", "unescaped % in the password", "% as %25"),
        ("postgresql://a b:xy@db.example.org/app", "unescaped a space in the user name", "a space as %20"),
        ("postgresql://ada:[YOUR-PASSWORD]@db.example.org/app", r"placeholder [YOUR-PASSWORD]", "reset"),
        ("postgresql://ada:<password>@db.example.org/app", "placeholder <password>", "password there"),
        ("postgresql:///app", "names no host", "HOST"),
        ("dbname=app user=ada", "names no host", "HOST"),
        ("postgresql://a.example.org,b.example.org/app", "more than one host", "primary"),
        ("postgresql://db.example.org:abc/app", "port", "HOST:5432"),
        ("postgresql://db.example.org:70000/app", "port", "HOST:5432"),
        ("https://abcdef.supabase.co", "web address of a Supabase project", "db.abcdef.supabase.co"),
        ("abcdef.supabase.co", "web address of a Supabase project", "db.abcdef.supabase.co"),
        ("https://supabase.com/dashboard/project/abcdef", "dashboard", "Connect"),
        ("mysql://ada@db.example.org/app", "begins with mysql://", "postgresql://"),
        ("postgresql://db.example.org/app?colour=red", "libpq does not know: colour", "Leave it out"),
        ("host=db.example.org colour=red", "libpq does not know: colour", "Leave them out"),
        ("psql 'postgresql://db.example.org/app'", "whole psql command", "only the URL"),
        ("db.example.org", "neither a URL nor a conninfo", "postgresql://USER@HOST"),
    ],
)
def test_a_fault_is_named_with_its_fix(text: str, what: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert what in caught.value.what
    assert "--dsn" in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ada:{PASSWORD}@x@db.example.org/app",
        f"postgresql://ada:{PASSWORD}#@db.example.org/app",
        f"postgresql://ada:{PASSWORD}%@db.example.org/app",
        f"postgresql://ada:{PASSWORD}@/app",
        f"postgresql://ada:{PASSWORD}@db.example.org:x/app",
        f"mysql://ada:{PASSWORD}@db.example.org/app",
        f"host=db.example.org password={PASSWORD} colour=red",
        f"host=db.example.org password {PASSWORD}",
        f"host=db.example.org password='{PASSWORD}",
    ],
)
def test_no_complaint_repeats_the_password(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(min_size=1, max_size=12))
def test_no_password_however_odd_is_repeated_or_crashes(secret: str) -> None:
    marked = f"Q7{secret}7Q"
    try:
        shown = without_password(f"postgresql://ada:{marked}@db.example.org/app")
    except UsageError as error:
        shown = str(error)
    assert marked not in shown


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("postgresql://ada:geheim@db.example.org:6000/app", "postgresql://ada@db.example.org:6000/app"),
        ("host=db.example.org password=geheim user=ada", "host=db.example.org user=ada"),
        ("postgresql://ada:geheim@[::1]/app?sslmode=require", "postgresql://ada@[::1]/app?sslmode=require"),
        ("postgresql://ada@/app?host=/tmp&password=geheim", "postgresql://ada@/app?host=%2Ftmp"),
    ],
)
def test_without_its_password_a_string_still_leads_to_the_same_place(given_text: str, shown: str) -> None:
    clean = without_password(given_text)
    assert sorted(clean.split()) == sorted(shown.split())
    assert {k: v for k, v in read(given_text).items() if k != "password"} == read(clean)
