"""What a command that writes would be refused for before its own work begins, told by reading: for dry runs."""

from __future__ import annotations

from wizard.db.connect import Connection
from wizard.db.pooler import refusal as pooler_refusal
from wizard.engine.keeping.late import refused_waiting
from wizard.engine.looking.prerequisites import require_writable
from wizard.engine.looking.situation import Situation
from wizard.engine.session.exclusive import lock_refusal, require_alone
from wizard.engine.settings import Settings
from wizard.errors import OtherOperatorError, PrerequisiteError, RefusedError, WizardError


def refused_session(connection: Connection, situation: Situation, settings: Settings) -> WizardError | None:
    """Why no session that writes could be opened now, in the order in which opening one finds out."""
    if connection.kind == "transaction pooler":
        return pooler_refusal(connection.target)
    holder = situation.holder
    if holder is not None and not (settings.end_orphan and holder.is_orphan):
        return lock_refusal(holder, situation.target)
    try:
        require_writable(situation)
    except PrerequisiteError as error:
        return error
    return None


def refused_run(connection: Connection, situation: Situation, settings: Settings) -> WizardError | None:
    """The same of a run, which goes on with no step that was begun from other SQL."""
    refused = refused_session(connection, situation, settings)
    if refused is not None:
        return refused
    try:
        require_same_sql(situation, settings.command)
    except RefusedError as error:
        return error
    return None


def refused_forget(connection: Connection, situation: Situation, settings: Settings) -> WizardError | None:
    """The same of dropping the registry, which the rollouts of all schemas share."""
    refused = refused_session(connection, situation, settings)
    if refused is not None:
        return refused
    try:
        # What holds the lock of this schema is an orphan here, which is ended first.
        require_alone(connection, besides=situation.holder.pid if situation.holder is not None else None)
    except OtherOperatorError as error:
        return error
    return refused_waiting(connection)


def edited_steps(situation: Situation) -> dict[str, str]:
    """Steps that stand, whole or in part, and whose SQL was edited since; with the version that ran it."""
    record = situation.active
    if record is None:
        return {}
    found = {}
    for rendered in situation.steps:
        standing = record.standing(rendered.step.id)
        if rendered.parts and standing and standing[-1].digest != rendered.digest:
            found[rendered.step.id] = standing[-1].wizard_version
    return found


def require_same_sql(situation: Situation, command: str) -> None:
    """Raises RefusedError if a step that is partly done has other SQL by now: going on would mix two versions of it."""
    for step, version in edited_steps(situation).items():
        if _is_begun(situation, step):
            raise RefusedError(
                f"step {step} was begun by version {version} from other SQL",
                fix=f"Finish it with that version, or roll it back: {command} rollback",
            )


def _is_begun(situation: Situation, step: str) -> bool:
    """Some of its parts are done, but not all."""
    assert situation.active is not None
    return len(situation.active.finished(step)) < len(situation.step(step).parts)
