"""The commands that steer what runs: pause, batch size and delay of a backfill, standing aside. They start nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from wizard.text import duration
from wizard.ui.looking import Looking

if TYPE_CHECKING:
    from wizard.engine.api import Engine

LOOK_EVERY_S = 0.05
"""How soon it is seen that the engine rests, which no event tells."""


class Steering(Looking):
    """Each command of the table is a method of the same name."""

    def pause(self) -> None:
        """Pause after this part or batch, or go on."""
        engine, board = self.app.desk.engine, self.board
        if engine is None:
            return
        board.pause_asked = not board.pause_asked
        if not board.pause_asked:
            board.resting = False
            engine.go_on()
            return
        engine.pause()

        def look() -> None:
            if not board.pause_asked:
                watch.stop()
            elif engine.resting:
                board.resting = True
                watch.stop()
                self.app.main.draw()

        watch = self.app.set_interval(LOOK_EVERY_S, look)

    def larger_batches(self) -> None:
        """About twice the rows, from the next batch on."""
        from wizard.engine import progress as pace

        self._pace_batches(pace.larger)

    def smaller_batches(self) -> None:
        """About half the rows, from the next batch on."""
        from wizard.engine import progress as pace

        self._pace_batches(pace.smaller)

    def shorter_delay(self) -> None:
        """Less time between two batches."""
        from wizard.engine import progress as pace

        self._pace_delay(pace.shorter_delay)

    def longer_delay(self) -> None:
        """More time between two batches."""
        from wizard.engine import progress as pace

        self._pace_delay(pace.longer_delay)

    def _pace_batches(self, move: Callable[[tuple[float, ...], float], float]) -> None:
        from wizard.engine.progress import BATCHES

        engine, live = self.app.desk.engine, self.board.live
        if engine is None or live is None or live.backfill is None:
            return
        before = live.backfill.batch_rows
        rows = int(move(BATCHES, before))
        engine.set_batch_rows(rows)
        if rows == before:
            self.say(f"batches of {rows:,} rows are the {'smallest' if rows == BATCHES[0] else 'largest'}")
        self.board.live = replace(live, backfill=live.backfill.model_copy(update={"batch_rows": rows}))

    def _pace_delay(self, move: Callable[[float | None], float | None]) -> None:
        engine, live = self.app.desk.engine, self.board.live
        if engine is None or live is None or live.backfill is None:
            return
        before = engine.delay_s
        delay_s = move(before)
        engine.set_delay(delay_s)
        if delay_s == before:
            self.say(
                f"{duration(delay_s)} is the longest delay" if delay_s else "there is no delay between two batches"
            )
        self.board.live = replace(live, backfill=live.backfill.model_copy(update={"delay_s": delay_s}))

    def stand_aside(self, stop_process: Callable[[], object]) -> None:
        """TSTP: stop the process, but only where no lock is held; go on when it is continued."""
        engine: Engine | None = self.app.desk.engine
        if engine is None or not self.board.activity.writes:
            stop_process()
            return
        engine.pause()
        self.say(f"Stopping the process after this {self.board.unit}; continue it with fg")

        def look() -> None:
            if engine.resting or not self.board.activity.writes:
                watch.stop()
                stop_process()
                self.say("")
                if not self.board.pause_asked:
                    engine.go_on()

        watch = self.app.set_interval(LOOK_EVERY_S, look)
