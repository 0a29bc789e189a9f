"""A real server that speaks TLS, and the certificate authorities for it, made on the spot with openssl."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, server_binaries
from tests.support.database import Database
from tests.support.folders import reachable_folder
from tests.support.pgbouncer import port_of
from wizard.demo.server import HOST, SUPERUSER

REF = "abcdefghijklmnopqrst"
NAME = f"db.{REF}.supabase.co"
"""The name in the server's certificate: no local one, so the wizard takes the server for a remote."""

HBA = f"""\
host all {SUPERUSER} 127.0.0.1/32 scram-sha-256
hostssl all outsider 127.0.0.1/32 reject
hostssl all all 127.0.0.1/32 scram-sha-256
"""
"""Everybody but the superuser has to come encrypted; `outsider` is not let in at all."""


@dataclass(frozen=True)
class Secured:
    """A server with TLS and one CloneAI database."""

    cluster: Cluster
    database: Database
    root: Path
    """The certificate authority that signed the server's certificate."""
    stranger: Path
    """Another one."""

    def url(self, *parameters: str, name: str = NAME) -> str:
        """A URL without password for a host of that `name`, which is looked for on this machine."""
        query = "&".join((f"hostaddr={HOST}", *parameters))
        return f"postgresql://postgres@{name}:{port_of(self.database)}/{self.database.name}?{query}"


@contextmanager
def secured_server() -> Iterator[Secured]:
    """The server while the block runs: not one of the wheel, whose programs were built without TLS."""
    version = next((version for version in ("15", "17") if _is_there(version)), None)
    if version is None:
        pytest.skip("no server with TLS here; tests/support/matrix.sh 15 installs one")
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make certificates with")
    cluster = Cluster.start(version)
    try:
        with reachable_folder() as folder:
            root, stranger = _authority(folder, "root"), _authority(folder, "stranger")
            database = cluster.make_database()
            cluster.server.stop()
            _certify(folder, cluster.server.data_dir)
            with (cluster.server.data_dir / "postgresql.conf").open("a") as conf:
                conf.write("ssl = on\n")
            (cluster.server.data_dir / "pg_hba.conf").write_text(HBA)
            cluster.server.start()
            yield Secured(cluster, database, root, stranger)
            cluster.server.stop()
    finally:
        cluster.close()


def _is_there(version: str) -> bool:
    try:
        server_binaries(version)
    except RuntimeError:
        return False
    return True


def _authority(folder: Path, name: str) -> Path:
    """A self-signed authority: name.pem and name.key."""
    certificate = folder / f"{name}.pem"
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", f"/CN={name}", "-keyout", str(folder / f"{name}.key"), "-out", str(certificate)),
        *("-addext", "basicConstraints=critical,CA:TRUE"),
    )
    return certificate


def _certify(folder: Path, data_dir: Path) -> None:
    """server.crt for NAME, signed by root, and server.key, both as the server wants to find them."""
    request, extensions = folder / "server.csr", folder / "server.ext"
    extensions.write_text(f"subjectAltName=DNS:{NAME}\n")
    key, certificate = data_dir / "server.key", data_dir / "server.crt"
    _openssl(
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={NAME}"),
        *("-keyout", str(key), "-out", str(request)),
    )
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", "2", "-extfile", str(extensions), "-out", str(certificate)),
        *("-CA", str(folder / "root.pem"), "-CAkey", str(folder / "root.key"), "-CAcreateserial"),
    )
    owner = data_dir.stat()
    for path in (key, certificate):
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o600)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
