"""The types step in a run and in a rollback: writes the file, keeps how it was, follows later steps, puts it back."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from wizard.db.connect import Connection
from wizard.durable import sync_folder
from wizard.engine import words
from wizard.engine.events import Noticed, StepFinished, StepStarted, TypesCompared, TypesFileWritten
from wizard.engine.looking.situation import Situation
from wizard.engine.sending.commit import EndedError, commit_checkpoint
from wizard.engine.settings import Settings
from wizard.engine.sitting import Sitting
from wizard.engine.state import StepState
from wizard.engine.types.plan import Draft, draft, require_types_step, wanted_entries
from wizard.engine.types.record import FileRecord, load_files, save_file
from wizard.engine.views import Outcome
from wizard.engine.views_types import TypesWritten
from wizard.errors import RefusedError, UsageError, WizardError
from wizard.rollout.model import Rollout
from wizard.rollout.render import RenderedStep
from wizard.text import file_name
from wizard.typescript.file import (
    digest,
    is_writable,
    read_types_file,
    require_types_file,
    require_writable,
    write_types_file,
)


def require_file(rollout: Rollout, settings: Settings) -> None:
    """Before anything is run: the named file is a types file. Raises UsageError. Asks no database."""
    if settings.types_file is None or rollout.types_step is None:
        return
    require_types_file(read_types_file(settings.types_file), settings.schema)


def require_writable_file(
    connection: Connection, situation: Situation, settings: Settings, chosen: Sequence[str]
) -> None:
    """Before anything is sent: the file can be written, if a run of the `chosen` steps would. Raises UsageError.

    A file that only the owner of a checkout may write is no obstacle once it is up to date.
    """
    types = situation.rollout.types_step
    if settings.types_file is None or types is None or types.id not in chosen:
        return
    left = [rendered.step.id for rendered in situation.remaining if rendered.step.id in chosen]
    adds = bool(left) and bool(wanted_entries(situation, left))
    if not adds and draft(connection, situation, settings.types_file).plan.up_to_date:
        return
    require_writable(read_types_file(settings.types_file))
    if settings.types_copies is not None:
        _require_room_for_copies(settings.types_copies)


def _require_room_for_copies(folder: Path) -> None:
    """Raises UsageError where `save_copy` would, as far as can be told without writing."""
    try:
        there = next(one for one in (folder, *folder.parents) if one.exists())
        closed = "" if there.is_dir() and is_writable(there) else f"{there} is no folder that may be written to"
    except OSError as error:
        closed = f"{error.strerror}"
    if closed:
        raise UsageError(
            f"no copy of the types file can be kept in {folder}: {closed}.",
            why="Nothing was changed.",
            fix="Choose another --state-dir.",
        )


def is_due(here: Sitting, rendered: RenderedStep) -> bool:
    """This is the types step, and there is a file for it."""
    return rendered.step.types is not None and here.settings.types_file is not None


def run_types_step(here: Sitting, rendered: RenderedStep) -> bool:
    """Brings the named file up to date and leaves the checkpoint. True if anything was changed.

    Raises UsageError or RefusedError; the file is as it was then. Raises what `commit_checkpoint` does, and the file is
    written then.
    """
    assert here.settings.types_file is not None
    step = rendered.step
    here.begin()
    was_done = here.situation.state(rendered) is StepState.DONE
    if not was_done:
        committed = words.standing_steps(here.situation)
        doing = f"RUNNING {step.id}"
        here.emit(StepStarted(step=step.id, title=step.title, first=1, doing=doing, committed=committed))
    work = draft(here.connection, here.situation, here.settings.types_file)
    if (work.plan.replaced or work.plan.removed) and not here.settings.types_replace:
        here.emit(TypesCompared(step=step.id, plan=work.plan))
        _leave_open(here, rendered, work)
        return False
    changed = not work.plan.up_to_date
    if changed or not was_done:
        write(here, work)
        _checkpoint(here, rendered)
    here.emit(
        StepFinished(
            step=step.id, title=step.title, state=here.situation.state(rendered),
            sentence=words.survey_sentence(here.situation),
        )
    )  # fmt: skip
    return changed or not was_done


def follow(here: Sitting, step: str = "") -> None:
    """Once written, the file follows the database: after `step` ran, or steps after the types step were rolled back.

    What keeps it from that is told, and stops nothing.
    """
    types = here.situation.rollout.types_step
    record = here.situation.active
    if types is None or record is None or not record.standing(types.id):
        return
    if step and not wanted_entries(here.situation, [step]):
        return
    for file in load_files(here.connection, record.rollout_id):
        if file.is_here:
            _told(here, types.id, file.path, partial(_follow, here, types.id, Path(file.path)))


def _follow(here: Sitting, step: str, path: Path) -> None:
    work = draft(here.connection, here.situation, path)
    if work.plan.replaced and not here.settings.types_replace:
        text = f"{path} has entries that differ from the database. Look at them: {here.settings.command} types {path}"
        here.emit(Noticed(step=step, text=text))
    elif not work.plan.up_to_date:
        write(here, work)


def _told(here: Sitting, step: str, path: str, work: Callable[[], None]) -> None:
    try:
        work()
    except WizardError as error:
        fix = f"Bring it up to date by hand: {here.settings.command} types {path}"
        here.emit(Noticed(step=step, text=f"{path} could not be brought up to date: {error.what} {fix}"))


def record_as_done(here: Sitting, path: Path, shown: str) -> TypesWritten:
    """`types FILE` while a rollout is active: writes what was `shown` (sha256 of the result), leaves the checkpoint.

    The step is done with it as soon as everything before it is. Raises RefusedError if something changed since.
    """
    here.begin()
    work = draft(here.connection, here.situation, path)
    require_shown(work, shown)
    written = write(here, work)
    rendered = here.situation.step(require_types_step(here.situation))
    if here.situation.is_its_turn(rendered):
        try:
            _checkpoint(here, rendered)
        except EndedError as ended:
            raise _unrecorded(path, rendered, ended.outcome) from None
    return written


def _unrecorded(path: Path, rendered: RenderedStep, outcome: Outcome) -> WizardError:
    why = f": {outcome.failure.message}" if outcome.failure is not None else ", since it was cancelled"
    return WizardError(
        f"{path} is written, but step {rendered.step.id} is not recorded as done{why}",
        why=f"How the file was before is kept in the registry. {outcome.sentence}.",
        fix="Run the same command again.",
    )


def write_unrecorded(settings: Settings, target: str, work: Draft) -> TypesWritten:
    """Writes the file where no rollout is active: nothing is recorded, a copy of it as it was is kept."""
    copy = ""
    if not work.plan.up_to_date:
        copy = _copy(settings, target, work)
        write_types_file(work.file, work.text)
    return TypesWritten(**work.plan.model_dump(), copy_path=copy)


def require_shown(work: Draft, shown: str) -> None:
    """Raises RefusedError unless what would be written is what the operator saw."""
    if work.plan.result != shown:
        raise RefusedError(
            f"{work.file.path} or the database changed since the difference was shown.",
            why="The file was left as it is.",
            fix="Look at the new difference and write that.",
        )


def _leave_open(here: Sitting, rendered: RenderedStep, work: Draft) -> None:
    step = rendered.step
    differ = ", ".join((*work.plan.replaced, *work.plan.removed))
    here.emit(
        Noticed(
            step=step.id,
            text=f"{work.file.path} has entries that differ from the database ({differ}) and was left as it is. "
            f"Look at the difference and write it: {here.settings.command} types {work.file.path}",
        )
    )
    here.emit(
        StepFinished(
            step=step.id, title=step.title, state=StepState.OPEN, sentence=words.survey_sentence(here.situation)
        )
    )


def write(here: Sitting, work: Draft) -> TypesWritten:
    """Saves how the file is, then writes it. Tells what changes before, and that it is written after."""
    step = require_types_step(here.situation)
    assert here.situation.active is not None
    rollout_id = here.situation.active.rollout_id
    here.emit(TypesCompared(step=step, plan=work.plan))
    record = _record(here, step, work)
    if not work.plan.up_to_date and (record.mended or not record.copy):
        copy = _copy(here.settings, here.target.name, work)
        record = replace(record, copy=record.copy or copy)
    save_file(here.connection, rollout_id, here.composer.session_id, record)
    if not work.plan.up_to_date:
        write_types_file(work.file, work.text)
    written = TypesWritten(**work.plan.model_dump(), copy_path=record.copy, recorded=True)
    if not work.plan.up_to_date:
        here.emit(TypesFileWritten(step=step, written=written))
    return written


def _record(here: Sitting, step: str, work: Draft) -> FileRecord:
    """The file as this rollout found it: an earlier record of it stands, also when somebody edited it since."""
    assert here.situation.active is not None
    path, host, now = str(work.file.path), socket.gethostname(), work.file.digest
    known = load_files(here.connection, here.situation.active.rollout_id)
    ours = next((one for one in known if one.path == path and one.is_here), None)
    # Moved, or seen from another container: the bytes tell that it is the same file.
    ours = ours or next((one for one in known if one.written == now), None)
    if ours is None:
        return FileRecord(host, path, step, work.file.data, digest(work.text), False, work.wanted, "")
    mended = ours.mended or now not in {ours.written, digest(ours.before)}
    return FileRecord(host, path, step, ours.before, digest(work.text), mended, work.wanted, ours.copy)


def _copy(settings: Settings, target: str, work: Draft) -> str:
    """A copy of the file as it is now, in the state folder, so that it can also be found without the database."""
    if settings.types_copies is None:
        return ""
    path = settings.types_copies / f"{file_name(target)}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{work.file.path.name}"
    return str(save_copy(path, work.file.data))


def save_copy(path: Path, data: bytes) -> Path:
    """Writes a new file that only this user can read. Raises UsageError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        sync_folder(path.parent)
    except OSError as error:
        raise UsageError(
            f"the file cannot be copied to {path.parent}: {error.strerror}", why="It was left as it is.",
            fix="Choose another --state-dir.",
        ) from None  # fmt: skip
    return path


def _checkpoint(here: Sitting, rendered: RenderedStep) -> None:
    """The step is done from now on; it is left as it is where a checkpoint stands already."""
    if here.situation.state(rendered) is StepState.DONE:
        return
    commit_checkpoint(here, here.composer.deploy(here.situation, rendered, 1))
