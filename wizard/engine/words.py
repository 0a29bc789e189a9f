"""The engine's sentences to people: what is true in the database now. Every State line is made here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from psycopg import sql

from wizard.engine.looking.situation import Situation
from wizard.engine.standing_steps import StandingSteps, StepParts
from wizard.engine.state import StepState
from wizard.engine.views import Failure, StepView, Verification
from wizard.engine.views_back import Loss, RollbackObject, RollbackStep
from wizard.errors import PrerequisiteError
from wizard.rollout.kind import StepKind
from wizard.rollout.model import Decision, Step
from wizard.rollout.render import Mode, RenderedStep, Strategy
from wizard.text import one_line, plural

MANY = 6
"""So many objects of a kind are named one by one; more are counted."""


def span(ids: Collection[str], order: Sequence[str]) -> str:
    """`1.1`, `0 to 2.1`, `0 to 1.6 and 3`: ids as ranges of their order."""
    runs: list[list[str]] = []
    for step_id in order:
        if step_id not in ids:
            continue
        if runs and order.index(step_id) == order.index(runs[-1][-1]) + 1:
            runs[-1].append(step_id)
        else:
            runs.append([step_id])
    words = [run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))


def committed(situation: Situation) -> str:
    """`Steps 0 to 2.1 are committed`, or that nothing is."""
    return standing_steps(situation).words


def standing_steps(situation: Situation) -> StandingSteps:
    """What is committed. Steps that change nothing count only beside others."""
    steps = situation.steps
    done = [
        rendered.step.id
        for rendered in steps
        if rendered.step.kind is not StepKind.MANUAL and situation.state(rendered).is_complete
    ]
    changed = [rendered for rendered in steps if rendered.step.id in done and rendered.step.kind is StepKind.SQL]
    partly = tuple(_partly(situation))
    if not changed or situation.active is None:
        return StandingSteps(partly=partly)
    # A manual step between two done ones does not break the range people read.
    order = [rendered.step.id for rendered in steps if rendered.step.kind is not StepKind.MANUAL]
    return StandingSteps(whole=span(done, order), several=len(done) > 1, partly=partly)


def _partly(situation: Situation) -> Iterator[StepParts]:
    """Steps that are neither whole nor not there at all."""
    record = situation.active
    if record is None:
        return
    for rendered in situation.steps:
        step = rendered.step.id
        done, of = len(record.finished(step)), len(rendered.parts)
        if situation.state(rendered) is not StepState.FAILED and record.standing(step) and done < of:
            yield StepParts(step=step, done=done, of=of)


def survey_sentence(situation: Situation, failure: Failure | None = None) -> str:
    """The State line of a database that nobody works on right now."""
    if situation.holder is not None:
        who = situation.holder.words
        return f"ANOTHER OPERATOR is at work on {situation.target}: {who}. Nothing can be changed from here"
    if failure is not None:
        return failed_sentence(situation, failure)
    if situation.record is not None and not situation.record.active:
        left = conflict_sentence(situation) or "Schema rag_wizard remains (the log); `forget` removes it"
        return f"ROLLED BACK to the start. {left}"
    if situation.conflicts:
        return conflict_sentence(situation)
    return _ready_sentence(situation)


def _ready_sentence(situation: Situation) -> str:
    """Nothing stands in the way: what is next."""
    if situation.active is None:
        first = situation.steps[0].step
        reads = " (reads only)" if first.kind is not StepKind.SQL else ""
        return f"READY. Nothing was changed on {situation.target}. Next: {first.id} {first.title}{reads}"
    following = next(
        (
            rendered.step
            for rendered in situation.steps
            if not situation.state(rendered).is_complete and not _left_to_operator(situation, rendered.step)
        ),
        None,
    )
    if following is None:
        return f"FINISHED. {committed(situation)}; verify tells whether it still holds"
    return f"READY. {committed(situation)}. Next: {following.id} {following.title}"


def _left_to_operator(situation: Situation, step: Step) -> bool:
    return step.kind is StepKind.MANUAL and not (step.types is not None and situation.types_named)


def conflict_sentence(situation: Situation) -> str:
    """`CONFLICT in 1.1 and 2.1: 2 objects differ. Nothing was changed on acme`; empty without a conflict."""
    count = len(situation.conflicts)
    if not count:
        return ""
    order = [rendered.step.id for rendered in situation.steps]
    steps = span({conflict.step for conflict in situation.conflicts}, order)
    differ = f"{_objects(count)} differ{'s' if count == 1 else ''}"
    now = f"Nothing was changed on {situation.target}" if situation.record is None else committed(situation)
    return f"CONFLICT in {steps}: {differ}. {now}"


def failed_sentence(situation: Situation, failure: Failure) -> str:
    """The State line of a failure."""
    where = failure.step if failure.direction == "deploy" else f"rolling back {failure.step}"
    return f"FAILED {where} ({failure.sqlstate}). {after_failure(situation, failure)}"


def after_failure(situation: Situation, failure: Failure) -> str:
    """What is true in the database after a failure."""
    return f"{committed(situation)}; {_left_by(situation, failure)}"


def _left_by(situation: Situation, failure: Failure) -> str:
    """What the failed step left: a part that failed leaves nothing, unless it is no transaction."""
    step, record = failure.step, situation.active
    count = next((len(one.parts) for one in situation.steps if one.step.id == step), 0)
    done = len(record.finished(step)) if record is not None else 0
    failed = record.failed if record is not None else None
    if failure.direction == "revert":
        there = f"{done} of {count} parts of {step} are still there"
        if failed is not None and failed.is_concurrent:
            return f"{there}; an index may be left invalid, which rolling back drops and running builds anew"
        return f"{step} is still there, whole" if done == count else there
    words = f"{step} has {done} of {count} parts" if done else f"{step} left nothing behind"
    if failed is not None and failed.mode == Mode.BATCHES.value and failed.rows:
        return f"{words if done else step + ' is unfinished'}: {failed.rows:,} rows of its batches stay changed"
    if failed is not None and failed.mode == Mode.CONCURRENTLY.value:
        return f"{words if done else step + ' is unfinished'}; an index may be left invalid, which retrying replaces"
    return words


def finished_sentence(verification: Verification, statements: int, seconds: float) -> str:
    """`FINISHED and verified: 8 of 9 criteria, open: 5, 58 statements, 43 s`."""
    passed = sum(criterion.state == "passed" for criterion in verification.criteria)
    left = [criterion.step for criterion in verification.criteria if criterion.state == "open"]
    opened = f", open: {', '.join(left)}" if left else ""
    took = f", {statements} statements, {seconds:.0f} s" if statements else ""
    return f"FINISHED and verified: {passed} of {len(verification.criteria)} criteria{opened}{took}"


def unverified_sentence(verification: Verification) -> str:
    """Committed, but not as expected."""
    failed = [check for check in verification.checks if not check.passed]
    names = ", ".join(f"{check.step} {check.title}" for check in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return f"NOT VERIFIED: {len(failed)} of {len(verification.checks)} checks failed ({names}{more})"


def failure_todo(direction: str, *, can_roll_back: bool) -> tuple[str, ...]:
    """What to do after a failure, in order."""
    first = "Read the server's words; correct the cause in the database."
    if direction == "revert":
        again = "Then roll back again: it goes on with this step; those that are rolled back stay so."
        return first, again, "Or run again: what was rolled back is done anew."
    again = "Then retry it: nothing has to be undone first."
    back = "Or roll back the steps that are committed; or stop here and resume later, on any machine."
    return (first, again, back) if can_roll_back else (first, again)


def decisions_error(missing: Sequence[Decision]) -> PrerequisiteError:
    """Why nothing runs before the operator has decided."""
    return PrerequisiteError(
        f"a decision is missing: {missing[0].name}",
        why="\n".join(decision.question for decision in missing) + "\nNothing was changed.",
        fix=f"Answer with {decide_options(missing)}",
    )


def decide_options(missing: Iterable[Decision]) -> str:
    """The options that answer: `--decide grants=keep|add`."""
    return " ".join(f"--decide {one.name}={'|'.join(option.value for option in one.options)}" for one in missing)


def dry_run_sentence(target: str, steps: int, *, blocked: bool) -> str:
    """What a dry run found."""
    if not steps and not blocked:
        return f"DRY RUN, read-only session: nothing is left to run on {target}"
    would = "a run would stop before its first change" if blocked else f"{plural(steps, 'step')} would run"
    return f"DRY RUN, read-only session: {would}; nothing was changed on {target}"


def strategy(rendered: RenderedStep) -> str:
    """`atomic: one transaction`, `online: tickets has ~1,000,000 rows`; empty for a step that sends nothing."""
    if not rendered.parts:
        return ""
    choice = rendered.choice
    if choice.strategy is Strategy.ATOMIC and not choice.reason:
        return "atomic: one transaction"
    return f"{choice.strategy.value}: {choice.reason}"


def is_there(step: StepView) -> bool:
    """Every object of the step is there, exactly as it makes them, and it sends no statement: it is to be adopted."""
    sends = any(not statement.ours for part in step.parts for statement in part.statements)
    found_all = bool(step.objects) and all(one.origin == "adopted" for one in step.objects)
    return found_all and not sends and not step.state.is_complete


def objects_words(step: StepView) -> str:
    """`17 of 18 objects are there already`, `all 18 objects were there before`; empty if nothing was found there."""
    done, count = step.state.is_complete, len(step.objects)
    found = sum(one.origin == "adopted" for one in step.objects)
    replaced = sum(one.origin == "replaced" for one in step.objects)
    parts = []
    if found:
        many = f"all {count} objects" if found == count > 1 else f"{found} of {_objects(count)}"
        parts.append(f"{many} {_be(found, done=done)} there {'before' if done else 'already'}")
    if replaced:
        parts.append(f"{replaced} {_be(replaced, done=done)} replaced: saved first, put back by rolling back")
    return "; ".join(parts)


def _be(count: int, *, done: bool) -> str:
    return {(1, False): "is", (1, True): "was"}.get((count, done), "were" if done else "are")


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"


def lost_rows(loss: Loss) -> str:
    """`1 row in tickets`, `5 rows of tickets with a value of their own`."""
    rest = loss.what.removeprefix("rows ")
    return f"{plural(loss.rows, 'row')} {rest}" if rest != loss.what else f"{loss.rows:,} {rest}"


def object_lines(step: RollbackStep) -> list[str]:
    """What goes with a step: a line for each object, or for each kind of which there are many.

    What lies in a table that goes is not named again.
    """
    tables = {one.table for one in step.objects if one.kind == "table" and one.origin == "made"}
    named = [one for one in step.objects if one.kind == "table" or one.origin == "replaced" or one.table not in tables]
    lines = []
    for (origin, kind), group in groupby(named, key=lambda one: (one.origin, one.kind)):
        objects = list(group)
        if origin == "made" and len(objects) > MANY:
            where = ", ".join(dict.fromkeys(one.table for one in objects))
            lines.append(one_line(f"removed: {len(objects)} times {kind}, on {where}"))
            continue
        lines += map(object_words, objects)
    return lines


def object_words(one: RollbackObject) -> str:
    """`removed: index by_day of visits`, `is put back as it was: function f()`; safe to show, in one line."""
    verb = "removed" if one.origin == "made" else "is put back as it was"
    if one.since:
        verb = {
            "edited": "stays as it is now, edited since the run",
            "gone": "is not put back, gone since the run",
        }[one.since]
    name = one.table if one.kind == "table" else f"{one.name} of {one.table}" if one.table else one.name
    return one_line(f"{verb}: {one.kind} {name.strip()}")


def open_again_words(schema: str, tables: Sequence[str]) -> str:
    """Goes after a rollback's sentence: tables that it left without row level security, as they were, and the cure."""
    if not tables:
        return ""
    close = " ".join(
        sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;").format(sql.Identifier(schema, table)).as_string()
        for table in tables
    )
    without = (
        f"{', '.join(tables)} {'is' if len(tables) == 1 else 'are'} without row level security again, as before the run"
    )
    return one_line(f". {without}; whoever has rights there sees every row. To close for good: {close}")
