"""Reports as plain lines: prerequisites, steps, checks, plans. They print nothing themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wizard.console.tables import columns, speaks_unicode
from wizard.engine.looking.conflicts import conflict_lines
from wizard.engine.looking.dependents import dependents_words
from wizard.engine.parts.undone import ARCHIVE_ID, NAMED
from wizard.engine.state import StepState
from wizard.engine.words import is_there, lost_rows, object_lines, objects_words
from wizard.rollout.model import STRONG_LOCKS
from wizard.rollout.statements import terminated
from wizard.text import one_line, plural, shortened, visible

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.views import (
        CheckResult,
        ConflictView,
        CriterionResult,
        DryRun,
        PrerequisiteResult,
        PreviewTable,
        StepView,
        Survey,
        Verification,
    )
    from wizard.engine.views_back import RestorePlan, RollbackPlan
    from wizard.rollout.model import Decision

_LEVELS = {
    "pass": (StepState.PASSED.glyph, StepState.PASSED.ascii_glyph),
    "warn": ("!", "!"),
    "stop": (StepState.FAILED.glyph, StepState.FAILED.ascii_glyph),
}
_CRITERIA = {
    "passed": StepState.PASSED,
    "failed": StepState.FAILED,
    "open": StepState.OPEN,
    "not tried": StepState.TODO,
}


def glyph(state: StepState) -> str:
    """The state's sign, in ASCII where stdout has nothing else."""
    return state.glyph if speaks_unicode() else state.ascii_glyph


def stamp(at: datetime) -> str:
    """A time in UTC to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def target_line(target: Target) -> str:
    """Which database, and where the settings came from."""
    environment = "PRODUCTION" if target.production else target.env
    return f"{target.name}  {target.address}  {environment}  (from {target.source})"


def prerequisite_lines(results: Iterable[PrerequisiteResult]) -> list[str]:
    """One line each: judgement, title, what was found and the fix."""
    sign = 0 if speaks_unicode() else 1
    return columns((f"{_LEVELS[r.level][sign]} {r.level}", r.title, found_and_fix(r)) for r in results)


def found_and_fix(result: PrerequisiteResult) -> str:
    """What was found, and the fix where one is needed, as sentences."""
    if not result.fix or result.level == "pass":
        return result.found
    return f"{result.found.rstrip('.')}. Fix: {result.fix}"


def prerequisite_summary(results: Iterable[PrerequisiteResult]) -> str:
    """How many passed, warn and stop."""
    levels = [result.level for result in results]
    stops = levels.count("stop")
    counts = f"{levels.count('pass')} passed, {plural(levels.count('warn'), 'warning')}, {stops} that stop a run"
    return f"{'Prerequisites are not met' if stops else 'Prerequisites are met'}: {counts}."


def step_lines(steps: Iterable[StepView]) -> list[str]:
    """One line a step: glyph, id, state, title, and what of it is or was there already."""
    return columns((f"{glyph(s.state)} {s.id}", s.state.word, s.title, object_words(s)) for s in steps)


def object_words(step: StepView) -> str:
    """What of a step's objects the database had before; for a conflict, which differ."""
    if step.conflicts:
        return f"differs: {', '.join(conflict.words for conflict in step.conflicts)}"
    return objects_words(step) + (": to be adopted" if is_there(step) else "")


def found_lines(steps: Iterable[StepView]) -> list[str]:
    """One line for each step of which something is there already."""
    return columns((f"{glyph(s.state)} {s.id}", s.title, object_words(s)) for s in steps if object_words(s))


def conflict_report(conflicts: Iterable[ConflictView]) -> list[str]:
    """Each conflict with both definitions, one below the other, and what to do; nothing without one."""
    found = tuple(conflicts)
    if not found:
        return []
    todo = "Rename it, change it to what is expected (then it is adopted), or drop it; then check again."
    return ["", "Conflicts: nothing runs while these differ", *map(visible, conflict_lines(found)), todo]


def conflicts_of(steps: Iterable[StepView]) -> tuple[ConflictView, ...]:
    """All conflicts, in step order."""
    return tuple(conflict for step in steps for conflict in step.conflicts)


def status_lines(survey: Survey) -> list[str]:
    """The server, every step, the last session, the sentence of what is true now."""
    server = survey.server
    connection = f"{server.connection}, {'TLS' if server.tls else 'no TLS'}"
    lines = [
        f"PostgreSQL {server.version}, {connection}, schema {survey.schema_name}, rollout {survey.rollout}",
        "",
        *step_lines(survey.steps),
        "",
    ]
    if survey.last_session:
        session = survey.last_session
        ended = f"to {stamp(session.ended_at)}" if session.ended_at else "no end recorded"
        lines.append(f"Last session: {session.operator}, {stamp(session.started_at)} {ended}")
        lines.append(f"Log: {plural(survey.statements, 'statement')}, rag-wizard {session.wizard_version}")
    lines += decision_lines(survey.open_decisions)
    lines.append(survey.sentence)
    return [one_line(line) for line in lines]


def decision_lines(decisions: Iterable[Decision]) -> list[str]:
    """One line for each question that has no answer yet."""
    return [f"Decision needed: {d.name} (step {d.step}): {d.question}" for d in decisions]


def check_lines(checks: Iterable[CheckResult]) -> list[str]:
    """One line a check with its count, and below it every row that differs."""
    rows: list[tuple[str, str, str]] = []
    for check in checks:
        state = StepState.PASSED if check.passed else StepState.FAILED
        good = sum(row.passed for row in check.rows)
        counted = f"{good} of {len(check.rows)}"
        rows.append((f"{glyph(state)} {check.step}", counted, check.title))
        if check.error:
            rows.append(("", "", f"could not run: {check.error}"))
        elif not check.rows:
            rows.append(("", "", "returned no rows, which proves nothing"))
        rows += [
            ("", "", f"{row.subject}: expected {_value(row.expected)}, found {_value(row.found)}")
            for row in check.rows
            if not row.passed
        ]
    return columns(rows)


def _value(value: str | None) -> str:
    return "nothing" if value is None else value


def criterion_lines(criteria: Iterable[CriterionResult]) -> list[str]:
    """One line a success criterion, with what ticking it does not prove."""
    return columns(
        (f"{glyph(_CRITERIA[c.state])} {c.state}", c.title + (f" ({c.note})" if c.note else "")) for c in criteria
    )


def verification_lines(verification: Verification) -> list[str]:
    """Checks, criteria, next steps."""
    lines = ["Checks", *check_lines(verification.checks)]
    if verification.criteria:
        lines += ["", "Success criteria", *criterion_lines(verification.criteria)]
    if verification.listing:
        lines += ["", *listing_lines(verification)]
    if verification.next_steps:
        lines += ["", "Next steps", *columns(("-", step) for step in verification.next_steps)]
    return lines


def listing_lines(verification: Verification) -> list[str]:
    """Where the guide's listing of types is wrong about this database."""
    if not verification.listing:
        return []
    head = f"The guide's listing of types is wrong about this database in {plural(len(verification.listing), 'place')}"
    return [head, *(f"  - {one_line(text)}" for text in verification.listing)]


def verification_summary(verification: Verification) -> str:
    """One sentence: how many checks passed, which criteria are open."""
    passed = sum(check.passed for check in verification.checks)
    head = "All checks passed" if verification.passed else "Checks failed"
    left = [c.title for c in verification.criteria if c.state == "open"]
    return f"{head}: {passed} of {len(verification.checks)}." + (f" Open: {'; '.join(left)}." if left else "")


def preview_lines(previews: Mapping[str, Iterable[PreviewTable]]) -> list[str]:
    """Step -> the tables it wants to be seen before it runs, each below its title."""
    lines: list[str] = []
    for step, table in ((step, table) for step, tables in previews.items() for table in tables):
        lines += ["", f"{step}  {one_line(table.title)}"]
        if table.untold:
            lines.append(f"  {one_line(table.untold)}")
            continue
        lines += columns([table.columns, *([cell or "" for cell in row] for row in table.rows)], indent=2)
        lines += [] if table.rows else ["  no row"]
        lines += [f"  and {plural(table.more, 'more row')}"] if table.more else []
    return lines


def refused_lines(refused: str) -> list[str]:
    """What a dry run foresees that the real command would be refused for; nothing if there is nothing."""
    return ["Would be refused", *(f"  {one_line(line)}" for line in refused.splitlines()), ""] if refused else []


def dry_run_lines(dry: DryRun, previews: Mapping[str, Iterable[PreviewTable]]) -> list[str]:
    """What would run, what stands in the way, what reading cannot tell."""
    told = [result for result in dry.prerequisites if result.level != "pass"]
    lines = refused_lines(dry.refused)
    lines += ["Prerequisites with warnings or failures", *prerequisite_lines(told), ""] if told else []
    lines += [*conflict_report(conflicts_of(dry.would_run))[1:], ""] if conflicts_of(dry.would_run) else []
    lines += ["Would run", *(what_runs(dry.would_run) or ["  nothing: everything asked for is done"])]
    lines += preview_lines(previews)
    if dry.cannot_tell:
        lines += ["", "Reading cannot tell", *columns(("-", text) for text in dry.cannot_tell)]
    return lines


def what_runs(steps: Iterable[StepView]) -> list[str]:
    """One line a step: what it sends, how, what of it is there, which locks it takes on tables of the application."""
    rows = []
    for step in steps:
        sent = sum(not statement.ours for part in step.parts for statement in part.statements)
        locks = ", ".join(f"{lock.mode} on {lock.table}" for lock in step.locks if lock.existing)
        does = plural(sent, "statement") if sent else _without_sql(step)
        if step.conflicts:
            does = "conflict"
        elif is_there(step):
            does = "adopts"
        found = objects_words(step) if does == "adopts" else object_words(step)
        how = step.strategy if sent and does != "conflict" else ""
        strong = any(lock.existing and lock.mode in STRONG_LOCKS for lock in step.locks)
        moment = ", the strong ones for a moment" if strong and any(part.locks for part in step.parts) else ""
        taken = f"locks {locks}{moment}" if locks and does != "adopts" else ""
        notes = "; ".join(filter(None, (how, found, taken)))
        rows.append((f"{glyph(_would(step))} {step.id}", step.title, does, notes))
    return columns(rows)


def _without_sql(step: StepView) -> str:
    """What a step without statements does."""
    if step.types and step.state in {StepState.TODO, StepState.WOULD_RUN}:
        return "a types file"
    return "your own work" if step.todo else "reads only"


def _would(step: StepView) -> StepState:
    """The state whose sign goes with what a run would do."""
    if step.conflicts:
        return StepState.CONFLICT
    return StepState.ADOPTED if is_there(step) else step.state


def rollback_lines(plan: RollbackPlan, target: str, *, statements: bool, discard: bool = False) -> list[str]:
    """Newest step first with what goes, the rows that go and where to; with `statements` then the text of each."""
    kept = f"everything up to {plan.to} is kept" if plan.to else "nothing of the rollout is kept"
    if not plan.steps and plan.to is not None:
        return [f"Nothing after {plan.to} is rolled out on {one_line(target)}; it and the steps before it stay"]
    if not plan.steps:
        return [f"Nothing is rolled out on {one_line(target)}; there is nothing to roll back"]
    lines = [f"Rollback of {plural(len(plan.steps), 'step')} on {one_line(target)}; {kept}"]
    sent = {step.id: [statement.sql for statement in step.statements if not statement.ours] for step in plan.steps}
    head = columns(
        (
            f"{glyph(StepState.ROLLED_BACK)} {step.id}",
            step.title,
            plural(len(sent[step.id]), "statement") if sent[step.id] else "nothing to send",
        )
        for step in plan.steps
    )
    for step, line in zip(plan.steps, head, strict=True):
        lines.append(line)
        lines += [f"    {shortened(text, 110)}" for text in object_lines(step)]
    if plan.losses:
        where = f"Archived first, in {one_line(plan.archive)}" if plan.archive else "Archived first"
        lines += ["", "Would be lost" if discard else where]
        lines += columns((f"step {x.step}", lost_rows(x)) for x in plan.losses)
    if plan.replaced_since:
        lines += ["", "Not as this rollout made it", *map(visible, conflict_lines(plan.replaced_since))]
    lines += [one_line(f"{file.path} {file.words}") for file in plan.files]
    if plan.captures and not discard:
        lines += [
            "",
            "First, by triggers that go with the columns, so that what the application writes meanwhile is kept too",
        ]
        lines += [f"  {one_line(step.title)}" for step in plan.captures]
    if plan.dependents:
        lines += [
            "",
            "In the way, not made by this rollout",
            *(f"  {text}" for text in dependents_words(plan.dependents)),
        ]
    return [*lines, *rollback_text(plan)] if statements else lines


def rollback_text(plan: RollbackPlan) -> list[str]:
    """Every statement that is sent, in order, the wizard's own included."""
    lines = ["", "Every statement, in the order it is sent"]
    steps = (*plan.captures, *plan.steps)
    if any(ARCHIVE_ID in one.sql for step in steps for one in step.statements):
        lines.append(f"-- {NAMED}")
    for step in steps:
        lines += ["", f"-- {one_line(step.id)}  {one_line(step.title)}"]
        lines += [visible(line) for one in step.statements for line in terminated(one.sql).splitlines()]
    return lines


def restore_lines(plan: RestorePlan, target: str) -> list[str]:
    """What an archive holds, a line a table, and what reading could not tell."""
    lines = [f"Restore on {one_line(target)} from {one_line(plan.archive)}"]
    if plan.target != target:
        lines.append(f"  note: these rows are from another target, {one_line(plan.target)}")
    lines.append(f"  archived {stamp(plan.made_at)} from {one_line(plan.target)}; every file is as it was written")
    lines += columns(
        (
            plural(table.rows, "row" if table.whole_rows else "value row"),
            one_line(table.table),
            table.what,
            f"{table.late:,} saved when it was dropped" if table.late else "",
        )
        for table in plan.tables
    )
    if plan.deleted_since:
        lines.append(
            f"  note: {plural(plan.deleted_since, 'row')} of these had been deleted between the archive and the drop; "
            "they come back too"
        )
    return [*lines, "", "Reading cannot tell", *columns(("-", text) for text in plan.cannot_tell)]
