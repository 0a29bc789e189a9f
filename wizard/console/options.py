"""The common options, declared once, and the decorator that attaches them before and after a command."""

from __future__ import annotations

import inspect
import signal
from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Annotated, Any

import typer

from wizard import __version__
from wizard.console.call import Call, make_call
from wizard.console.supervise import StoppedBySignalError

TARGET = "Target"
SAFETY = "Safety"
ROLLOUT = "Rollout"
OUTPUT = "Output"
DEMO = "Demo"


class Strategy(StrEnum):
    """What --strategy accepts."""

    AUTO = "auto"
    ATOMIC = "atomic"


def _show_version(wanted: bool | None) -> None:
    if wanted:
        typer.echo(f"rag-wizard {__version__}")
        raise typer.Exit


def _parameter(kind: Any, panel: str, *names: str, text: str, **more: Any) -> inspect.Parameter:
    """One option as typer reads it from a signature; absent is None, so that "not given" differs from every value."""
    option = typer.Option(*names, help=text, rich_help_panel=panel, show_default=False, **more)
    return inspect.Parameter(
        names[0].lstrip("-").replace("-", "_"),
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind | None, option],
        default=None,
    )


def _flag(panel: str, *names: str, text: str, **more: Any) -> inspect.Parameter:
    return _parameter(bool, panel, *names, text=text, **more)


def _value(panel: str, name: str, metavar: str, text: str) -> inspect.Parameter:
    return _parameter(str, panel, name, text=text, metavar=metavar)


_PARAMETERS = (
    _value(TARGET, "--dsn", "URL", "libpq URL or conninfo [PG* variables, DATABASE_URL]"),
    _flag(TARGET, "--demo", text="A database of its own, like CloneAI's, to practise on"),
    _value(TARGET, "--target-name", "NAME", "Call the target so [project ref or host/dbname]"),
    _value(TARGET, "--env", "NAME", "As RAG_WIZARD_ENV [production unless host is local]"),
    _value(TARGET, "--schema", "NAME", "Schema that is changed [public]"),
    _value(ROLLOUT, "--rollout", "DIR", "Another rollout than the built-in phase-1"),
    _parameter(Strategy, ROLLOUT, "--strategy", text="How steps are executed [auto]", metavar="auto|atomic"),
    _parameter(
        list[str], ROLLOUT, "--decide", text="Answer a decision of the rollout; repeatable", metavar="NAME=VALUE"
    ),
    _value(ROLLOUT, "--operator", "NAME", "Who is recorded as doing it [user@host]"),
    _flag(SAFETY, "--dry-run", text="Say what would happen; change nothing"),
    _flag(SAFETY, "--read-only", text="Look only: writing is refused"),
    _flag(SAFETY, "--yes", "-y", text="Do not ask; needed without a terminal"),
    _value(SAFETY, "--confirm", "TARGET", "Target name, given instead of typed (production)"),
    _flag(SAFETY, "--end-orphan", text="End an abandoned session that holds the database"),
    _value(SAFETY, "--lock-timeout", "TIME", "Longest wait of one try for a table lock [700ms]"),
    _flag(OUTPUT, "--json", text="Stdout for programs: a document, or an event a line"),
    _value(OUTPUT, "--state-dir", "DIR", "Place for demo, exported logs and crash reports"),
    _flag(OUTPUT, "--version", text="Print the version and exit", is_eager=True, callback=_show_version),
    _flag(DEMO, "--fresh", text="Begin the demo anew"),
    _parameter(int, DEMO, "--rows", text="Clones in a fresh demo", metavar="N"),
    _value(DEMO, "--fail-at", "STEP", "Practice: this step fails once"),
)
_COMMON = {parameter.name: parameter for parameter in _PARAMETERS}


def remember_common(function: Callable[[Call], int]) -> Callable[..., int]:
    """The callback before any command: keeps what was given there, and calls `function` when no command follows."""

    def callback(ctx: typer.Context, **values: Any) -> int:
        ctx.obj = _given(values)
        return 0 if ctx.invoked_subcommand else _with_words(lambda: function(make_call(ctx.obj)))

    return _with_signature(callback, function, [])


def takes_common(function: Callable[..., int]) -> Callable[..., int]:
    """A command `function(call, *own options)`, which then accepts the common options too: the later of two wins."""

    def command(ctx: typer.Context, **values: Any) -> int:
        own = {name: values.pop(name) for name in tuple(values) if name not in _COMMON}
        given = _given(values)
        before: dict[str, Any] = ctx.obj or {}
        merged = {**before, **given, "decide": [*before.get("decide", ()), *given.get("decide", ())]}
        return _with_words(lambda: function(make_call(merged), **own))

    own_parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    return _with_signature(command, function, own_parameters)


def _with_words(work: Callable[[], int]) -> int:
    """`work`, with Ctrl+C as an error that carries words: the parser would turn it into a bare exit code."""
    try:
        return work()
    except KeyboardInterrupt as error:
        number = getattr(error, "number", signal.SIGINT)
        raise StoppedBySignalError("Interrupted. Nothing was being written.", number=number) from None


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Only the options that were on the command line, as plain values."""
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], ())}


def _with_signature(
    wrapper: Callable[..., int], function: Callable[..., int], own: list[inspect.Parameter]
) -> Callable[..., int]:
    """Give `wrapper` the name and help of `function` and the parameters that typer turns into options."""
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *_COMMON.values()))]
    wrapper.__name__ = function.__name__
    wrapper.__doc__ = function.__doc__
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapper
