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
from wizard.console.declared import COMMON_OPTIONS, CommonOption
from wizard.console.supervise import StoppedBySignalError


class Strategy(StrEnum):
    """What --strategy accepts."""

    AUTO = "auto"
    ATOMIC = "atomic"
    ONLINE = "online"


def _show_version(wanted: bool | None) -> None:
    if wanted:
        typer.echo(f"rag-wizard {__version__}")
        raise typer.Exit


_KINDS: dict[str, Any] = {"flag": bool, "text": str, "number": int, "list": list[str], "strategy": Strategy}


def _parameter(declared: CommonOption) -> inspect.Parameter:
    """One option as typer reads it from a signature; absent is None, so that "not given" differs from every value."""
    more: dict[str, Any] = {"metavar": declared.metavar} if declared.metavar else {}
    if declared.key == "version":
        more |= {"is_eager": True, "callback": _show_version}
    names = [name for name in (declared.name, declared.short) if name]
    option = typer.Option(*names, help=declared.text, rich_help_panel=declared.panel, show_default=False, **more)
    return inspect.Parameter(
        declared.key,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[_KINDS[declared.kind] | None, option],
        default=None,
    )


_PARAMETERS = tuple(_parameter(option) for option in COMMON_OPTIONS)
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
