"""The failure that a rollout stands at, as the registry has it."""

from __future__ import annotations

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine import words
from wizard.engine.looking.situation import Situation
from wizard.engine.views import Failure


def pending_failure(connection: Connection, situation: Situation) -> Failure | None:
    """The failure that nobody has answered yet, as the registry has it."""
    record = situation.active
    if record is None or record.failed is None:
        return None
    part = record.failed
    row = connection.execute(query("failed_statement"), {"part_id": part.part_id}).fetchone()
    if row is None:
        return None
    try:
        title = situation.rollout.step(part.step).title
    except KeyError:
        title = part.title
    failure = Failure(
        step=part.step, title=title, part=part.part, direction="deploy" if part.direction == "deploy" else "revert",
        sqlstate=row["sqlstate"] or "", message=row["message"] or "", detail=row["detail"] or "",
        hint=row["hint"] or "", context=row["context"] or "", sql=row["sql"], file=row["file"], line=row["line"],
        column=row["error_column"] or 0, at=row["finished_at"],
    )  # fmt: skip
    anything = any(record.standing(rendered.step.id) for rendered in situation.steps)
    return failure.model_copy(
        update={
            "state_now": words.after_failure(situation, failure),
            "todo": words.failure_todo(failure.direction, can_roll_back=anything),
        }
    )
