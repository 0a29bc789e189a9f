"""Which TLS a connection must have: any host that is not local is spoken to encrypted, or not at all."""

from __future__ import annotations

from wizard.errors import ConnectionUnsuitableError

WITHOUT = frozenset({"disable", "allow", "prefer"})
"""Values of sslmode with which a connection may go unencrypted."""


def settle_sslmode(given: str, source: str, host: str, *, root: str) -> tuple[str, str]:
    """The sslmode for `host`, which is not local, and a notice for the operator ("" for none).

    `given` is the operator's own, "" if there is none, and `source` where it stands. `root` is the certificate
    authority that is named, "" if none is; with the system's own libpq takes nothing less than verify-full. Raises
    ConnectionUnsuitableError for a mode that allows an unencrypted connection.
    """
    if given in WITHOUT:
        raise ConnectionUnsuitableError(
            f"sslmode={given} ({source}) lets the connection to {host} go unencrypted.",
            why="TLS is required for every host that is not local. Nothing was sent.",
            fix="Leave sslmode out (require is the default here) or use verify-full; a server without TLS is reached"
            " through a tunnel that ends on localhost.",
        )
    mode = given or ("verify-full" if root == "system" else "require")
    return mode, "" if mode != "require" or root else _RECOMMENDED


_RECOMMENDED = (
    "sslmode=require encrypts, but does not prove who answers. Better: sslmode=verify-full sslrootcert=FILE with the"
    " server's certificate authority; on Supabase that is the certificate from the dashboard (Database settings, SSL"
    " configuration, Download certificate), since the system's roots do not know it."
)
