"""Reads a rollout's folder into the model and says, file by file, what is wrong with it. It runs no SQL."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from wizard.errors import RolloutInvalidError
from wizard.rollout.declared import may_declare_objects, objects_check_id
from wizard.rollout.kind import StepKind
from wizard.rollout.locate import builtin_folder
from wizard.rollout.model import Frozen, Rollout, Step
from wizard.rollout.parsed import parse_files
from wizard.rollout.queries import is_condition

HEADER = "rollout.toml"
_Model = TypeVar("_Model", bound=Frozen)


def load_rollout(folder: Path | None = None) -> Rollout:
    """The rollout in `folder` (which holds steps/ and sql/), or the built-in one.

    Raises RolloutInvalidError naming file, key and fix.
    """
    root = folder if folder is not None else builtin_folder()
    header = root / "steps" / HEADER
    if not header.is_file():
        raise RolloutInvalidError(
            f'"{root}" is not a rollout: it has no steps/{HEADER}',
            fix="Name a folder that holds steps/ and sql/, as --rollout DIR.",
        )
    rollout = _parse(header, Rollout)
    steps = {step.id: (path, step) for path, step in _read_steps(root)}
    _require_listed(header, rollout, steps)
    rollout._steps = tuple(steps[step_id][1] for step_id in rollout.order)
    rollout._folder = root
    for path, step in steps.values():
        _require_step(root, path, step, rollout)
    _require_header(root, header, rollout)
    parse_files(rollout)
    return rollout


def _read_steps(root: Path) -> Iterator[tuple[Path, Step]]:
    seen: dict[str, Path] = {}
    for path in sorted((root / "steps").glob("*.toml")):
        if path.name == HEADER:
            continue
        step = _parse(path, Step)
        if step.id in seen:
            raise _broken(
                path, "id", f'step "{step.id}" is also defined in {seen[step.id].name}', "Give it another id."
            )
        seen[step.id] = path
        yield path, step


def _parse(path: Path, model: type[_Model]) -> _Model:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RolloutInvalidError(f"{path}: not valid TOML: {error}", fix="Correct the line named above.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RolloutInvalidError(f"{path}: cannot be read: {error}", fix="Make it a readable UTF-8 file.") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _from_validation(path, error) from None


def _from_validation(path: Path, error: ValidationError) -> RolloutInvalidError:
    """The first fault in words: file, key, what it should be."""
    fault = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"])
    fixes = {
        "missing": f'Add the key "{key}".',
        "extra_forbidden": f'Remove "{key}", or correct its spelling.',
    }
    more = error.error_count() - 1
    why = f"{more} more in this file." if more else ""
    return _broken(path, key, fault["msg"], fixes.get(fault["type"], f'Correct the value of "{key}".'), why)


def _broken(path: Path, key: str, what: str, fix: str, why: str = "") -> RolloutInvalidError:
    return RolloutInvalidError(f"{path}: {key}: {what}", why=why, fix=fix)


def _require_listed(header: Path, rollout: Rollout, steps: dict[str, tuple[Path, Step]]) -> None:
    """Every id in `steps` has a file, and every file is listed: a forgotten step is never skipped in silence."""
    if len(set(rollout.order)) != len(rollout.order):
        raise _broken(header, "steps", "lists an id twice", "List every step once.")
    for step_id in rollout.order:
        if step_id not in steps:
            raise _broken(header, "steps", f'there is no step file with id = "{step_id}"', "Add the file or the id.")
    for step_id, (path, _) in steps.items():
        if step_id not in rollout.order:
            raise _broken(
                path, "id", f'step "{step_id}" is not listed in {HEADER}', f"List it in {HEADER} under steps."
            )


def _require_step(root: Path, path: Path, step: Step, rollout: Rollout) -> None:
    named = [fragment.sql for fragment in (*step.deploy, *step.revert)]
    named += [query.sql for query in (*step.prerequisites, *step.checks, *step.previews)]
    for sql in named:
        _require_sql(root, path, sql)
    for check in step.checks:
        if check.id == objects_check_id(step.id):
            what = f'"{check.id}" is the check of the step\'s objects, which the step has by itself'
            raise _broken(path, "check.id", what, "Give it another id.")
    _require_losses(path, step)
    _require_types(root, path, step, rollout)
    for fragment in (*step.deploy, *step.revert):
        text = rollout.read_sql(fragment.sql)
        for edit in fragment.edit:
            if edit.find not in text:
                raise _broken(
                    path, "edit.find", f'"{edit.find}" does not occur in sql/{fragment.sql}', "Correct one of the two."
                )
        if fragment.subsumed_by and fragment.subsumed_by not in rollout.order:
            raise _broken(path, "subsumed_by", f'there is no step "{fragment.subsumed_by}"', "Name a step's id.")
    if step.kind is not StepKind.SQL and step.deploy:
        raise _broken(
            path, "deploy", f"a step of kind {step.kind.value} runs no SQL", 'Remove it, or set kind = "sql".'
        )
    if step.kind is StepKind.SQL and not step.deploy:
        raise _broken(path, "deploy", "the step names no SQL", "Add a [[deploy]] entry with sql = ...")


def _require_losses(path: Path, step: Step) -> None:
    for loss in step.loses:
        if bool(loss.columns) != bool(loss.key):
            raise _broken(path, "loses.key", "key and columns belong together", "Give both, or neither.")
        for condition in (*loss.columns.values(), loss.rows):
            if not is_condition(condition):
                raise _broken(path, "loses", f'"{condition}" is not one SQL condition', "Correct it.")


def _require_types(root: Path, path: Path, step: Step, rollout: Rollout) -> None:
    if step.types is None:
        return
    if step.kind is not StepKind.MANUAL:
        raise _broken(path, "types", "only a manual step can have [types]", 'Set kind = "manual".')
    if rollout.types_step is not step:
        raise _broken(path, "types", "another step has it already", "Leave it in one of them.")
    if step.types.listing and not (root / "steps" / step.types.listing).is_file():
        raise _broken(
            path, "types.listing", f"steps/{step.types.listing} does not exist", "Add it or correct the name."
        )


def _require_sql(root: Path, path: Path, sql: str) -> None:
    file = (root / "sql" / sql).resolve()
    if not file.is_relative_to((root / "sql").resolve()):
        raise _broken(path, "sql", f'"{sql}" lies outside sql/', "Name a file below sql/.")
    if not file.is_file():
        raise _broken(path, "sql", f"sql/{sql} does not exist", "Add the file or correct the name.")


def _require_header(root: Path, header: Path, rollout: Rollout) -> None:
    if rollout.facts:
        _require_sql(root, header, rollout.facts)
    known = {check.id for step in rollout.steps for check in step.checks}
    known |= {objects_check_id(step.id) for step in rollout.steps if may_declare_objects(rollout, step)}
    for number, criterion in enumerate(rollout.criteria, start=1):
        for check in criterion.checks:
            if check not in known:
                raise _broken(
                    header, f"criterion.{number}.checks", f'there is no check "{check}"', "Name a check's id."
                )
        if criterion.step and criterion.step not in rollout.order:
            raise _broken(header, f"criterion.{number}.step", f'no step "{criterion.step}"', "Name a step's id.")
    for decision in rollout.decisions:
        values = [option.value for option in decision.options]
        if decision.default is not None and decision.default not in values:
            raise _broken(header, f"decision {decision.name}", "default is not one of its options", "Name an option.")
        if decision.step not in rollout.order:
            raise _broken(header, f"decision {decision.name}", f'no step "{decision.step}"', "Name a step's id.")
