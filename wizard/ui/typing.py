"""The types step on the screen: asks for the file, shows the difference, writes it. The engine does all of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wizard.paths import is_taken
from wizard.ui.trouble import Activity

if TYPE_CHECKING:
    from wizard.engine.views import StepView
    from wizard.engine.views_types import TypesPlan
    from wizard.ui.actions import Actions

USUAL = Path("types") / "database.ts"
"""Where an application has it, as the guide says."""


def _proposed() -> Path:
    """The usual place if there is such a file, else a place beside it; relative where the current folder is gone."""
    try:
        here = Path.cwd()
    except OSError:
        here = Path()
    return here / USUAL if is_taken(here / USUAL) else here / USUAL.name


class TypesActions:
    """Three cards in a row: which file, what changes, and for production the target's name."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._app = actions.app
        self._board = actions.board

    @property
    def named(self) -> Path | None:
        """The file that this start was given: the demo's own."""
        engine = self._app.desk.engine
        return engine.settings.types_file if engine is not None else None

    def choose(self, step: StepView | None) -> None:
        """Ask which file."""
        from wizard.ui.screens.types import ChooseTypesFile

        written = Path(step.types_file) if step is not None and step.types_file else None
        path = written or self.named or _proposed()

        def chosen(path: Path | None) -> None:
            if path is not None:
                self.look(path)

        self._app.push_screen(ChooseTypesFile(path), chosen)

    def look(self, path: Path) -> None:
        """Read file and database; what comes of it is shown before anything is written."""
        self._app.start(Activity.READING, lambda engine: engine.types_plan(path), self._show)

    def _show(self, plan: TypesPlan) -> None:
        from wizard.ui.screens.types import Difference

        self._board.types = plan
        width = 104 if self._app.size.width >= 120 else 68

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(plan)
            else:
                self._actions.say(f"{plan.path} was left as it is")

        self._app.push_screen(Difference(plan, width), answered)

    def _write(self, plan: TypesPlan) -> None:
        path = Path(plan.path)
        self._actions.write(
            f"write {path}", lambda engine: engine.write_types(path, plan.result), lambda _: self._written(plan)
        )

    def _written(self, plan: TypesPlan) -> None:
        """Where the rollout is finished, its criteria are judged anew."""
        survey = self._board.survey
        if survey is not None and survey.finished and self._board.verification is not None:
            self._app.call_after_refresh(self._verify, plan)
        else:
            self._tell(plan)

    def _verify(self, plan: TypesPlan) -> None:
        def keep(result: Any) -> None:
            self._board.keep_verification(result)
            self._tell(plan)

        self._app.start(Activity.VERIFYING, lambda engine: engine.verify(), keep)

    def _tell(self, plan: TypesPlan) -> None:
        words = f"{plan.path} is up to date" if plan.up_to_date else f"written: {plan.path}"
        self._actions.say(f"{words}; rolling back puts it back as it was")
