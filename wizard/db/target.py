"""A resolved target: which database, found where, called what. It opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True)
class Target:
    """One database and everything about it that people read. `conninfo` is the only field that can hold a password."""

    conninfo: SecretStr
    """libpq conninfo string; unwrapped only where the connection is opened."""
    name: str
    """The target name: what the operator reads, and types when it matters."""
    host: str
    port: int
    dbname: str
    user: str
    source: str
    """Where the settings came from: "--dsn", "PGHOST ...", "DATABASE_URL", "demo"."""
    env: str
    """The environment's name: "production", "staging", "local", "demo"."""
    production: bool
    local: bool
    notices: tuple[str, ...] = field(default=())
    """What was dropped or assumed while reading the settings; shown once."""

    @property
    def address(self) -> str:
        """`host:port/dbname as user`, without a password."""
        return f"{self.host}:{self.port}/{self.dbname} as {self.user}"
