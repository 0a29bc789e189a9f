"""Tells the registry every few seconds that a session is alive, on a connection of its own."""

from __future__ import annotations

import threading
from contextlib import suppress

import psycopg

from wizard.db.connect import connect
from wizard.db.target import Target
from wizard.engine.settings import Settings
from wizard.errors import WizardError

BEAT_S = 5.0


class Heartbeat:
    """Beats from the first interval on: a session that is over sooner never opens a second connection.

    A beat that fails is left out; the next one connects anew. The heartbeat proves nothing by itself: whoever finds it
    stale asks the operator before a session is ended.
    """

    def __init__(self, target: Target, settings: Settings, session_id: str, beat_s: float = BEAT_S) -> None:
        self._target = target
        self._settings = settings
        self._session_id = session_id
        self._beat_s = beat_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the beats and their connection."""
        self._over.set()
        self._thread.join(timeout=2 * self._beat_s)

    def _run(self) -> None:
        while not self._over.wait(self._beat_s):
            with suppress(WizardError, psycopg.Error):
                self._beat_while_connected()

    def _beat_while_connected(self) -> None:
        with connect(
            self._target, schema=self._settings.schema, read_only=False, application_name="rag-wizard heartbeat"
        ) as connection:
            while True:
                connection.execute(
                    "UPDATE rag_wizard.session SET heartbeat_at = clock_timestamp() WHERE session_id = %s",
                    (self._session_id,),
                )
                if self._over.wait(self._beat_s):
                    return
