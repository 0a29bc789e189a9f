"""The command line: arguments to settings to exit codes. What the commands do is in console/, the screen in ui/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wizard.console.call import Call
from wizard.console.help import Command, Group
from wizard.console.options import remember_common, takes_common
from wizard.errors import ExitCode, UsageError
from wizard.paths import typed_path

_TyperUsageError: type[Exception] = typer.BadParameter.__mro__[1]

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE instead of stdout", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE if it exists")]


class LogFormat(StrEnum):
    """What `log --format` accepts."""

    SQL = "sql"
    JSONL = "jsonl"
    MD = "md"


class OnFailure(StrEnum):
    """What `run --on-failure` accepts."""

    STOP = "stop"
    ROLLBACK = "rollback"


app = typer.Typer(
    cls=Group,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 104},
)

_EXAMPLES = """Examples:

\b
  rag-wizard --demo                        the wizard on a database of its own, to practise
  rag-wizard --dsn postgresql://postgres@db.abcd.supabase.co:5432/postgres check
  rag-wizard plan -o plan.sql              the exact SQL, to read or to run with psql
  rag-wizard run --dry-run                 what a run would do; changes nothing
  rag-wizard run --yes --confirm abcd      without a terminal, on a production database
  rag-wizard rollback                      back to the start, newest step first; rows are archived

Exit codes: 0 done, 1 a step or check failed, 2 usage, 3 prerequisites or a decision, 4 connection, 5 another
operator, 6 lock, 7 refused, 130 interrupted.
"""


@app.callback(cls=Group, epilog=_EXAMPLES)
@remember_common
def screen(call: Call) -> int:
    """Roll a change out to a live PostgreSQL or Supabase database, step by step, and back.

    Without a command: the wizard on screen. Each command does its part without one, with the same engine.
    Nothing is written before you are asked; every step commits whole or not at all and can be rolled back.
    """
    from wizard.screen import show_screen

    return show_screen(call)


@app.command(
    cls=Command, epilog="Exit codes: 0 all met, 3 a prerequisite stops a run or a decision is missing, 7 a conflict."
)
@takes_common
def check(call: Call, output: Output = None, force: Force = False) -> int:
    """Check the prerequisites: one line each, with the fix. Reads only."""
    from wizard.console import reading

    return reading.check(replace(call, output=output, force=force))


@app.command(
    cls=Command,
    epilog="Examples:\n\n\b\n  rag-wizard plan -o plan.sql\n  rag-wizard plan --no-registry | less",
)
@takes_common
def plan(
    call: Call,
    no_registry: Annotated[
        bool, typer.Option("--no-registry", help="Leave out what the wizard records; costs rollback and resume")
    ] = False,
    output: Output = None,
    force: Force = False,
) -> int:
    """Print the exact SQL for this database, as a psql script. Reads only."""
    from wizard.console import reading

    return reading.plan(replace(call, output=output, force=force), registry=not no_registry)


@app.command(
    cls=Command,
    epilog="Examples:\n\n\b\n  rag-wizard run\n  rag-wizard run --to 2.2\n  rag-wizard --demo run --yes\n\n"
    "What is done is skipped, so the same command resumes after a failure. A backfill that --from names goes\n"
    "through its table again, for rows that came since.",
)
@takes_common
def run(  # noqa: PLR0917 - the parser gives them by name
    call: Call,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="STEP", help="First step; every earlier one has to be done", show_default=False),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="STEP", help="Last step, included", show_default=False)
    ] = None,
    on_failure: Annotated[
        OnFailure,
        typer.Option(
            metavar="stop|rollback", help="On failure keep what is committed, or roll back to what stood before"
        ),
    ] = OnFailure.STOP,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a step is left open")] = False,
    types_file: Annotated[
        Path | None,
        typer.Option("--types", metavar="FILE", help="Types file that step 5 brings up to date", show_default=False),
    ] = None,
) -> int:
    """Run the rollout, or what is left of it. Shows the plan and asks first."""
    from wizard.console.running import RunOptions
    from wizard.console.running import run as run_it

    types_file = typed_path(types_file) if types_file else None
    return run_it(call, RunOptions(first, last, on_failure.value, strict, types_file))


@app.command(cls=Command)
@takes_common
def status(
    call: Call,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 0 if finished, 1 if not")] = False,
    output: Output = None,
    force: Force = False,
) -> int:
    """Show every step and its state. Reads only."""
    from wizard.console import reading

    return reading.status(replace(call, output=output, force=force), exit_code=exit_code)


@app.command(cls=Command, epilog="Exit codes: 0 every check passed, 1 a check failed.")
@takes_common
def verify(call: Call, output: Output = None, force: Force = False) -> int:
    """Run all verification: every check, then the success criteria. Reads only."""
    from wizard.console import reading

    return reading.verify(replace(call, output=output, force=force))


@app.command(
    cls=Command,
    epilog="Examples:\n\n\b\n  rag-wizard rollback --dry-run\n  rag-wizard rollback --to 2.1\n"
    "  rag-wizard rollback --archive /backup/rag\n  rag-wizard rollback --discard-data --confirm abcd",
)
@takes_common
def rollback(
    call: Call,
    to: Annotated[
        str | None, typer.Option("--to", metavar="STEP", help="Keep this step and those before it", show_default=False)
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="DIR", help="Folder for the rows that go, new or empty [below the state folder]"
        ),
    ] = None,
    discard_data: Annotated[
        bool, typer.Option("--discard-data", help="Discard those rows instead; you must type the target's name")
    ] = False,
) -> int:
    """Roll back, newest step first. Shows the plan and asks first; rows that would be lost are archived."""
    from wizard.console.undoing import rollback as roll_back

    folder = typed_path(archive) if archive else None
    return roll_back(call, to=to, discard_data=discard_data, archive=folder)


@app.command(
    cls=Command,
    epilog="Examples:\n\n\b\n  rag-wizard restore --dry-run /backup/rag\n  rag-wizard restore /backup/rag --yes",
)
@takes_common
def restore(
    call: Call,
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Folder that a rollback wrote its archive to")],
    skip_orphans: Annotated[
        bool, typer.Option("--skip-orphans", help="Write rows whose parent is gone to a file; restore the others")
    ] = False,
) -> int:
    """Put archived rows back after a new run. Shows what the archive holds and asks first."""
    from wizard.console.undoing import restore as put_back

    return put_back(call, typed_path(archive), skip_orphans=skip_orphans)


@app.command(cls=Command)
@takes_common
def forget(
    call: Call,
    keep_objects: Annotated[
        bool,
        typer.Option(
            "--keep-objects",
            help="Even while something is rolled out: the objects stay, and can no longer be rolled back",
        ),
    ] = False,
) -> int:
    """Export the log, then drop schema rag_wizard. Refused while anything is rolled out."""
    from wizard.console.undoing import forget as forget_it

    return forget_it(call, keep_objects=keep_objects)


@app.command(
    cls=Command,
    epilog="Examples:\n\n\b\n  rag-wizard types types/database.ts\n  rag-wizard types types/database.ts --diff\n"
    "  rag-wizard types types/database.ts --check      for CI\n\n"
    "Exit codes: 0 up to date or written, 1 with --check: it would be changed, 2 no types file, "
    "7 changed meanwhile.",
)
@takes_common
def types(
    call: Call,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The application's types file, for example types/database.ts")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if FILE would be changed; write nothing")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what would be changed; write nothing")] = False,
) -> int:
    """Bring FILE (types/database.ts) up to date with the database. Shows the difference and asks first."""
    from wizard.console.typing import TypesOptions
    from wizard.console.typing import types as bring

    return bring(call, TypesOptions(file, check, diff))


@app.command(
    cls=Command, epilog="Examples:\n\n\b\n  rag-wizard log -o executed.sql\n  rag-wizard log --format md | less"
)
@takes_common
def log(
    call: Call,
    format: Annotated[  # noqa: A002
        LogFormat, typer.Option(metavar="sql|jsonl|md", help="SQL that replays, JSON lines, or Markdown to read")
    ] = LogFormat.SQL,
    output: Output = None,
    force: Force = False,
) -> int:
    """Export the log of everything that was executed. Reads only."""
    from wizard.console import reading

    return reading.log(replace(call, output=output, force=force), format=format.value)


def run_command(arguments: Sequence[str]) -> int:
    """Parse and run; the exit code. Raises UsageError for what the parser does not understand."""
    try:
        return int(app(args=list(arguments), prog_name="rag-wizard", standalone_mode=False) or ExitCode.DONE)
    except _TyperUsageError as error:
        raise _in_our_words(error) from None


def _in_our_words(error: Exception) -> UsageError:
    """A parser's complaint as ours, with the help that lists what there is."""
    message: str = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "rag-wizard"
    if re.search(r"://|\b(password|host|dbname)\s*=|\S:\S*@", message):
        # It may hold a password: nothing of it is repeated.
        return UsageError(
            "a database's address stands where none is expected",
            fix=f"Name it with --dsn: {path} --dsn ADDRESS; without a password in it, rag-wizard asks for one",
        )
    return UsageError(message, fix=f"See {path} --help")
