"""The commands about who is in the way: the list that w opens, and what c and t there do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wizard.ui.looking import Looking

if TYPE_CHECKING:
    from wizard.engine.views import Blocker
    from wizard.ui.app import WizardApp
    from wizard.ui.screens.blockers import WhoBlocks


class Blocking(Looking):
    """Each command of the table is a method of the same name."""

    def __init__(self, app: WizardApp) -> None:
        super().__init__(app)
        self._listed: WhoBlocks | None = None
        """The list of who blocks, while it is open."""

    def blockers(self) -> None:
        """w: who is in the way; c and t there."""
        from wizard.ui.screens.blockers import WhoBlocks

        self._listed = WhoBlocks(self.board, self._card_width(), self._signal)
        self.app.push_screen(self._listed, self._unlisted)

    def _unlisted(self, _: None) -> None:
        self._listed = None

    def draw_blockers(self) -> None:
        """The list of who blocks, also below its question, shows what was told last."""
        if self._listed is not None:
            self._listed.draw()

    def tell_signalled(self, words: str) -> None:
        """What came of a signal, where it was asked for; in the State line once the list is closed."""
        if self._listed is not None:
            self._listed.say(words)
        else:
            self.say(words)

    def _signal(self, blocker: Blocker, end: bool) -> None:
        engine, start = self.app.desk.engine, blocker.backend_start
        if engine is not None and start is not None:
            self.app.signal(lambda: engine.signal_blocker(blocker.pid, start, end=end))
