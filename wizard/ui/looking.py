"""The commands that only look: tabs, lists, search, copy, export. None of them changes the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.ui.app import WizardApp
    from wizard.ui.screens.export import ExportChoice


class Looking:
    """Each command of the table is a method of the same name."""

    def __init__(self, app: WizardApp) -> None:
        self.app = app
        self.board = app.board

    def say(self, text: str) -> None:
        """One sentence in the State line, until the next key."""
        self.board.notice = text
        self.app.main.draw()

    def steps(self) -> None:
        """The full step list over the stage."""
        self.app.main.toggle("-steps")

    def log(self) -> None:
        """The log at full height, and back."""
        self.app.main.toggle("-log")

    def close(self) -> None:
        """Esc: closes what lies on top; nothing else."""
        main = self.app.main
        if main.answering:
            main.step_keys.focus()
        for name in ("-log", "-steps"):
            if main.has_class(name):
                main.toggle(name, on=False)

    def show_tab(self, key: str) -> None:
        """One of the tabs."""
        self.app.main.choose_tab(key)

    def fold(self) -> None:
        """Show and fold the wizard's own statements."""
        self.app.main.unfolded = not self.app.main.unfolded

    def help(self) -> None:
        """All keys."""
        from wizard.ui.screens.help import Help

        self.app.push_screen(Help(self.board, self.app.main.view, self._card_width()))

    def info(self) -> None:
        """The target."""
        from wizard.ui.screens.help import Info

        self.app.push_screen(Info(self.board, self._card_width()))

    def _card_width(self) -> int:
        return min(76, int(self.app.size.width * 0.94) - 8)

    def search(self) -> None:
        """Ask what to search for."""
        from wizard.ui.screens.search import Search

        main = self.app.main
        where = "log" if main.log_focused else "SQL"

        def find(text: str | None) -> None:
            if text is not None:
                self.say(main.find(text, in_log=where == "log"))

        self.app.push_screen(Search(where, main.sought), find)

    def match_next(self) -> None:
        """The next match."""
        self.say(self.app.main.match(1))

    def match_previous(self) -> None:
        """The match before."""
        self.say(self.app.main.match(-1))

    def copy(self) -> None:
        """What the stage shows, as text, through the terminal (OSC 52)."""
        from wizard.ui.pages.copying import to_copy

        what, text = to_copy(self.board, self.app.main.current, self.app.main.tab)
        self.app.copy_to_clipboard(text)
        self.say(f"copied: {what}")

    def export(self) -> None:
        """Ask what and where, then write it in the background."""
        from wizard.ui.screens.export import Export

        folder = self.board.launch.state_dir
        has_log = self.board.statements > 0
        self.app.push_screen(Export(folder, self.board.name, has_log=has_log), self._export)

    def _export(self, choice: ExportChoice | None) -> None:
        if choice is None:
            return
        from wizard.ui.desk import write_export

        name, own = self.board.name, self.board.launch.state_dir

        def told(path: Any) -> None:
            self.say(f"written: {path}")

        self.app.start(Activity.READING, lambda engine: write_export(engine, choice.kind, choice.path, name, own), told)
