"""A real hot standby of the test server: pg_basebackup, streaming from it, on a port of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.support.cluster import WATCH, Cluster
from tests.support.folders import make_reachable_folder
from tests.support.pgbouncer import port_of
from wizard.demo.server import HOST, SUPERUSER, Server, client_environment


@contextmanager
def hot_standby(cluster: Cluster) -> Iterator[Server]:
    """The standby while the block runs; what the primary committed before is there."""
    home = make_reachable_folder()
    watcher = subprocess.Popen(["/bin/sh", "-c", WATCH, "watch", home], stdin=subprocess.PIPE, start_new_session=True)
    standby = replace(cluster.server, data_dir=home / "cluster")
    try:
        _copy(cluster, standby)
        standby.start()
        yield standby
    finally:
        watcher.communicate()


def _copy(cluster: Cluster, standby: Server) -> None:
    account = standby.account
    standby.data_dir.mkdir(mode=0o700)
    if account is not None:
        os.chown(standby.data_dir, account.uid, account.gid)
    done = subprocess.run(
        [
            *(str(standby.client_dir / "pg_basebackup"), "-D", str(standby.data_dir), "-h", HOST, "-U", SUPERUSER),
            *("-p", str(port_of(cluster.admin))),
            *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
        ],
        cwd="/",
        env={**client_environment(), "PGPASSWORD": standby.password},
        capture_output=True,
        text=True,
        check=False,
        **(account.popen_options if account else {}),
    )
    assert done.returncode == 0, done.stderr
