"""Fills a cluster with a Supabase-like platform and the CloneAI-like application; the SQL is in the files beside it."""

from __future__ import annotations

from pathlib import Path

from wizard.demo.server import Server

FOLDER = Path(__file__).parent

DEFAULT_ROWS = 300
"""Clones in a demo database that was given no size."""


def seed_roles(server: Server) -> None:
    """Create the roles, once for a cluster."""
    server.psql([FOLDER / "roles.sql"])


def seed_database(server: Server, dbname: str, *, rows: int, api_grants: bool = False) -> None:
    """Make the platform, the application and its rows in an empty database of a cluster that has the roles.

    `rows` counts clones; knowledge has about twice as many. `api_grants`: the default privileges of Supabase as they
    were before 30 October 2026, when every new table belonged to the API roles too.
    """
    platform = ["platform.sql", "default_privileges.sql"] + ([] if api_grants else ["default_privileges_2026.sql"])
    server.psql([FOLDER / name for name in platform], dbname=dbname)
    application = [FOLDER / name for name in ("app.sql", "data.sql")]
    server.psql(application, user="postgres", dbname=dbname, variables={"rows": str(rows)})
