"""The engine as worker threads use it: opens the target, runs one operation, reads the survey after it. No widgets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from wizard.errors import RefusedError, WizardError
from wizard.ui.trouble import Trouble

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.api import Engine
    from wizard.engine.events import Listener
    from wizard.engine.views import LoggedStatement, Survey
    from wizard.launch import Launch

T = TypeVar("T")

FORMATS: dict[str, Literal["sql", "jsonl", "md"]] = {"sql": "sql", "jsonl": "jsonl", "md": "md"}


@dataclass(frozen=True)
class Snapshot:
    """What the database said after an operation."""

    survey: Survey | None = None
    statements: Sequence[LoggedStatement] = ()


class Desk:
    """Holds the engine between operations. `open` and `read` run in a worker thread, `close` after the last one."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._stack = ExitStack()
        self.engine: Engine | None = None

    def open(self, launch: Launch, tell: Callable[[Target, str], object]) -> None:
        """Resolve the target, load the rollout, build the engine; `tell` gets the target and our command as soon as
        there is a name."""
        from wizard.engine.api import Engine
        from wizard.open import load, open_target, settings_from

        self.close()
        rollout = load(launch)
        settings = settings_from(launch)
        target = self._stack.enter_context(open_target(launch))
        tell(target, settings.command)
        self.engine = Engine(target, rollout, settings, self._listener)

    def close(self) -> None:
        """Let go of the target; stops a demo server that nobody else uses."""
        self.engine = None
        self._stack.close()
        self._stack = ExitStack()

    def read(self, *, with_statements: bool) -> tuple[Snapshot, Trouble | None]:
        """The state of the database now, or why it cannot be read."""
        engine = self.engine
        if engine is None:
            return Snapshot(), None
        survey, trouble = attempt(engine.survey)
        statements: Sequence[LoggedStatement] = ()
        if survey is not None and with_statements:
            found, trouble = attempt(engine.statements)
            statements = found or ()
        return Snapshot(survey, statements), trouble


def attempt(work: Callable[[], T]) -> tuple[T | None, Trouble | None]:
    """Run `work`; whatever it raises becomes words."""
    try:
        return work(), None
    except WizardError as error:
        return None, Trouble(
            error.what,
            error.why,
            error.fix,
            int(error.exit_code),
            no_target=type(error).__name__ == "NoTargetError",
            abandoned=getattr(error, "abandoned", False),
            refused=isinstance(error, RefusedError),
            cancelled=getattr(error, "cancelled", False),
        )
    except Exception as error:  # a screen that dies would leave the operator without an answer
        return None, unexpected(error)


def unexpected(error: Exception) -> Trouble:
    """Calm words for a fault of the program; type and place only, since messages and locals may hold secrets."""
    place = next(
        (
            f"{Path(frame.filename).name}:{frame.lineno}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if "wizard" in Path(frame.filename).parts
        ),
        "outside the wizard",
    )
    return Trouble(
        f"The wizard met a fault of its own: {type(error).__name__} at {place}.",
        "What was committed stays committed; what was under way is rolled back by the server.",
        "Quit with q and start again: the wizard reads the state from the database.",
    )


def write_export(engine: Engine, kind: str, path: Path, target: str, own: Path) -> Path:
    """Write the log ("sql", "md", "jsonl") or the plan ("plan") to a new file; returns where. Raises UsageError.

    The wizard's `own` folder is made when it is not there yet; no other one is.
    """
    from wizard.engine.looking.conflicts import conflict_error
    from wizard.export.files import make_private_folder, write_atomically
    from wizard.export.log import LogHeader, export_log

    if kind == "plan":
        conflicts = [conflict for step in engine.survey().steps for conflict in step.conflicts]
        if conflicts:
            raise conflict_error(conflicts)
        text = engine.plan()
    else:
        header = LogHeader(target, engine.target.address, engine.rollout.name, engine.settings.schema)
        text = export_log(engine.statements(), FORMATS[kind], header)
    if path.parent == own:
        make_private_folder(own)
    write_atomically(path, text)
    return path
