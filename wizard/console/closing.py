"""The last lines of a run or rollback that did not end well: what failed, the state, the commands, the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.console.out import say, write_error
from wizard.console.supervise import ENDING, StoppedBySignalError
from wizard.console.tables import columns
from wizard.engine.events import StepStarted
from wizard.errors import ContradictionError, ExitCode, LockNotObtainedError, RefusedError, WizardError
from wizard.export.files import make_private_folder, write_atomically
from wizard.export.log import LogHeader, export_log
from wizard.text import file_name, one_line, shortened, visible

if TYPE_CHECKING:
    from wizard.console.call import Call
    from wizard.db.target import Target
    from wizard.engine.api import Engine
    from wizard.engine.events import Event, Listener
    from wizard.engine.views import Failure, Outcome

_SQL_LINES = 12


def exit_code(outcome: Outcome, *, interrupted: int | None) -> int:
    """0 done, 1 failed, 7 refused; stopped by the signal `interrupted`: 130, 143 or 129."""
    if outcome.ending == "stopped" and interrupted is not None:
        return ENDING[interrupted]
    return ExitCode.DONE if outcome.ending == "done" else ExitCode.FAILED


def failure_lines(failure: Failure) -> list[str]:
    """What happened in the server's own words, where, and what to do."""
    doing = "" if failure.direction == "deploy" else "rolling back "
    place = ":".join(str(part) for part in (failure.file, failure.line, failure.column) if part)
    told = [
        ("SQLSTATE", failure.sqlstate),
        ("message", failure.message),
        ("detail", failure.detail),
        ("hint", failure.hint),
        ("context", failure.context),
        ("at", place),
    ]
    lines = ["", one_line(f"FAILED {doing}{failure.step} {failure.title}, part {failure.part}")]
    lines += columns(((name, text) for name, text in told if text), indent=2)
    sql = visible(failure.sql.strip()).splitlines()
    lines += [f"  | {shortened(line, 110) if line.strip() else ''}".rstrip() for line in sql[:_SQL_LINES]]
    if len(sql) > _SQL_LINES:
        lines.append(f"  | ... {len(sql) - _SQL_LINES} lines more")
    lines += [f"  {number}. {one_line(todo)}" for number, todo in enumerate(failure.todo, 1)]
    return lines


def say_closing(engine: Engine, target: Target, state_dir: Path, sentence: str, *, resume: Sequence[str]) -> None:
    """State of the database, how to resume and roll back, where the log is: the last words on stderr."""
    command = engine.settings.command
    rows = [
        ("State", sentence),
        ("Resume", " ".join([command, *resume])),
        ("Roll back", f"{command} rollback"),
        ("Log", _saved_log(engine, target, state_dir)),
    ]
    say("", *columns(rows, wrapped=False))


@contextmanager
def closing_words(call: Call, engine: Callable[[], Engine], target: Target, resume: Sequence[str]) -> Iterator[Began]:
    """Around work that writes: an error that ends it is written first, then the state and the commands to go on with.

    Whatever error it is once a step was begun. Before that there is nothing to resume, but where the operator stopped
    it or can try again: for those the state is told in any case.
    """
    began = Began()
    try:
        yield began
    except WizardError as error:
        always = isinstance(error, (LockNotObtainedError, RefusedError, StoppedBySignalError))
        # Commands to go on with would repeat an option that contradicts the record; that error says what to do.
        if isinstance(error, ContradictionError) or not (always or began.done):
            raise
        write_error(error, as_json=call.json)
        error.told = True
        say_closing(engine(), target, call.launch.state_dir, state_sentence(engine()), resume=resume)
        raise


class Began:
    """Whether a step was begun, by the events that went by."""

    done = False

    def following(self, listener: Listener) -> Listener:
        """The same listener, watched."""

        def heard(event: Event) -> None:
            self.done = self.done or isinstance(event, StepStarted)
            listener(event)

        return heard


def state_sentence(engine: Engine) -> str:
    """What is true in the database now; asked of the database, since after an error only it knows."""
    try:
        return engine.survey().sentence
    except WizardError as error:
        return f"not known, the database does not answer now ({one_line(error.what)}); ask again with status"


def _saved_log(engine: Engine, target: Target, state_dir: Path) -> str:
    """The path of the log as just exported; where it could not be, the command that exports it."""
    try:
        if not engine.statements():
            return "empty, nothing was executed"
        return str(save_log(engine, target, state_dir))
    except WizardError:
        return f"in the database, schema rag_wizard: {engine.settings.command} log"


def save_log(engine: Engine, target: Target, state_dir: Path, *, everything: bool = False) -> Path:
    """Export the statement log as SQL into the state directory and return the file's path. Raises WizardError.

    With `everything` that of all rollouts in the registry, not of this one alone.
    """
    now = datetime.now(UTC)
    path = state_dir / "logs" / f"{file_name(target.name)}-{now:%Y%m%dT%H%M%S.%fZ}.sql"
    header = LogHeader(target.name, target.address, engine.rollout.name, engine.settings.schema, now)
    make_private_folder(path.parent)
    write_atomically(path, export_log(engine.statements(everything=everything), "sql", header))
    return path
