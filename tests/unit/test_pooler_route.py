"""Where somebody behind a transaction pooler is sent: the host and port that serve a session. Nothing is connected."""

from __future__ import annotations

import pytest

from wizard.db.pooler import notice, refusal, session_route
from wizard.db.resolve import resolve_target
from wizard.errors import ExitCode

REF = "abcdefghijklmnopqrst"
SHARED = f"postgresql://postgres.{REF}:geheim@aws-0-eu-west-1.pooler.supabase.com:6543/postgres"
DEDICATED = f"postgresql://postgres:geheim@db.{REF}.supabase.co:6543/postgres"
TUNNEL = f"postgresql://postgres.{REF}:geheim@localhost:6543/postgres"
ELSEWHERE = "postgresql://ada:geheim@pgbouncer.example.org:6432/app"


@pytest.mark.parametrize(
    ("dsn", "places"),
    [
        (SHARED, ("aws-0-eu-west-1.pooler.supabase.com:5432", f"db.{REF}.supabase.co:5432")),
        (DEDICATED, (f"db.{REF}.supabase.co:5432",)),
        (TUNNEL, ("the pooler's port 5432", f"db.{REF}.supabase.co:5432")),
        (ELSEWHERE, ("PostgreSQL itself", "pool_mode = session")),
    ],
)
def test_the_right_host_and_port_are_named(dsn: str, places: tuple[str, ...]) -> None:
    target = resolve_target(dsn)

    for place in places:
        assert place in session_route(target)
    assert "6543" not in session_route(target)
    assert session_route(target) in notice(target)
    assert "geheim" not in notice(target)


def test_the_refusal_says_why_and_that_nothing_was_changed() -> None:
    refused = refusal(resolve_target(SHARED, target_name="acme-prod"))

    assert refused.exit_code == ExitCode.CONNECTION
    assert "acme-prod" in refused.what
    assert "Nothing was changed" in refused.why
    assert "geheim" not in str(refused)
