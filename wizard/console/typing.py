"""The command types: shows what a types file lacks of the database, asks, writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.console import report
from wizard.console.ask import ask_yes_no, require_consent, require_writable
from wizard.console.call import Call
from wizard.console.out import say, say_text, write_data, write_document
from wizard.console.reading import opened
from wizard.console.supervise import supervised
from wizard.errors import ExitCode, UsageError
from wizard.paths import typed_path
from wizard.text import visible

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.engine.views_types import TypesPlan, TypesWritten


@dataclass(frozen=True)
class TypesOptions:
    """What only `types` takes."""

    file: Path | None
    check: bool = False
    diff: bool = False


def types(call: Call, options: TypesOptions) -> int:
    """0; with --check 1 if the file would be changed."""
    looks = options.check or options.diff or call.launch.dry_run
    path = typed_path(options.file) if options.file is not None else None
    if path is None and not call.launch.demo:
        raise UsageError(
            "types needs a FILE.",
            why="Nothing was changed.",
            fix="Name the file that Supabase's generator wrote: rag-wizard types types/database.ts",
        )
    if not looks:
        require_writable(call, "types")
    with opened(call) as (engine, target):
        from wizard.demo.types_file import types_file_of

        path = path or types_file_of(call.launch.state_dir)
        plan = engine.types_plan(path)
        say(report.target_line(target))
        written: TypesWritten | None = None
        if looks:
            _show(call, plan, to_stdout=options.diff or call.launch.dry_run)
            say_text(*summary(plan, "would be"))
        else:
            if not plan.up_to_date:
                _show(call, plan, to_stdout=False)
                say_text(*summary(plan, "will be"))
            _require_word(call, target, plan, recorded=engine.survey().begun)
            written, _ = supervised(engine, lambda: engine.write_types(path, plan.result))
            assert written is not None
            say_text(*_closing(plan, written))
        code = ExitCode.FAILED if options.check and not plan.up_to_date else ExitCode.DONE
        if call.json:
            document = written or plan
            answer = {"target": target.name, "exit_code": int(code), "up_to_date": plan.up_to_date}
            write_document(call, "types", {**answer, "written": written is not None and not plan.up_to_date,
                                           **document.model_dump(mode="json")})  # fmt: skip
    return code


def _require_word(call: Call, target: Target, plan: TypesPlan, *, recorded: bool) -> None:
    """The operator's word: for the registry, where the rollout records it, also of a file that stays as it is."""
    if recorded:
        what = f"Record {plan.path} as up to date" if plan.up_to_date else f"Write {plan.path} and record it"
        require_consent(call, target, f"{what} on {target.name}?")
    elif not (plan.up_to_date or call.yes or ask_yes_no(f"Write {plan.path}?")):
        raise UsageError("Not confirmed. Nothing was changed.")


def _show(call: Call, plan: TypesPlan, *, to_stdout: bool) -> None:
    """The difference: data where it was asked for, else words on stderr."""
    if call.json or plan.up_to_date:
        return
    if to_stdout:
        text = "".join(f"{line}\n" for line in plan.difference)
        if sys.stdout.isatty() and call.output is None:
            print_difference(plan.difference, stderr=False)
        else:
            write_data(call, text)
    else:
        print_difference(plan.difference, stderr=True)


def print_difference(lines: Iterable[str], *, stderr: bool) -> None:
    """A unified diff, coloured on a terminal; its text is never markup."""
    if not (sys.stderr if stderr else sys.stdout).isatty():
        say(*lines)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(Text(visible(line), style=_style(line)))


def _style(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "bold" if not line.startswith("@@") else "cyan"
    return {"+": "green", "-": "red"}.get(line[:1], "")


def summary(plan: TypesPlan, verb: str) -> list[str]:
    """What changes, in a few lines."""
    if plan.up_to_date:
        lines = [f"{plan.path} is up to date with schema {plan.schema_name}."]
    else:
        lines = [f"{plan.path} {verb} brought up to date with schema {plan.schema_name}."]
        for names, head in (
            (plan.added, "added"),
            (plan.replaced, "replaced, since the database has it differently"),
            (plan.removed, "taken out, since the database does not have it"),
        ):
            if names:
                lines.append(f"  {head}: {', '.join(names)}")
    return lines + [f"  note: {note}" for note in plan.notes]


def _closing(plan: TypesPlan, written: TypesWritten) -> list[str]:
    if plan.up_to_date:
        lines = summary(plan, "")
    else:
        lines = [f"Written: {written.path}"]
        if written.copy_path:
            lines.append(f"As it was before: {written.copy_path}")
    if written.recorded:
        lines.append("Rolling back puts the file back as it was before this rollout.")
    return lines
