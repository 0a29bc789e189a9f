"""Questions on a terminal: yes or no, the typed target name, decisions; without one, what must be given instead."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wizard.console.call import Call
from wizard.console.out import say
from wizard.errors import PrerequisiteError, UsageError
from wizard.text import one_line, visible

if TYPE_CHECKING:
    from wizard.db.target import Target
    from wizard.rollout.model import Decision


LISTEN_S = 0.2


def is_interactive() -> bool:
    """True if a person can be asked: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_writable(call: Call, command: str) -> None:
    """Before anything is opened: refuse what cannot end in a write. Raises UsageError."""
    if call.launch.read_only and not call.launch.dry_run:
        raise UsageError(f"--read-only and {command} contradict each other.", fix=f"Use {command} --dry-run to look.")
    if not (call.yes or call.launch.dry_run or is_interactive()):
        raise UsageError(
            f"{command} asks before it changes anything, and there is no terminal to ask on.",
            why="Nothing was changed.",
            fix=f"Add --yes: rag-wizard {command} --yes (a production database also needs --confirm TARGET).",
        )


def require_consent(call: Call, target: Target, question: str, *, name_needed: bool = False) -> None:
    """The operator's word for a write on `target`; the target's name where it is production or data would be lost.

    Raises UsageError if it is not given: nothing was changed.
    """
    confirmed = call.launch.confirm
    if confirmed and confirmed != target.name:
        raise UsageError(
            f"--confirm says {confirmed}, but the target is {target.name}.",
            why=f"{target.address}, from {target.source}. Nothing was changed.",
            fix="Check which database is meant.",
        )
    if (target.production or name_needed) and not confirmed:
        _ask_for_name(target, "" if name_needed else f" ({target.env})", question)
        return
    if not call.yes and not ask_yes_no(question):
        raise UsageError("Not confirmed. Nothing was changed.")


def _ask_for_name(target: Target, environment: str, question: str) -> None:
    if not is_interactive():
        raise UsageError(
            f"{target.name}{environment} needs its name as confirmation.",
            why="Nothing was changed.",
            fix=f"Add --confirm {target.name} besides --yes.",
        )
    typed = ask(f"{question} Type {one_line(target.name)} to go on: ")
    if typed != target.name:
        raise UsageError("That is not the target's name. Nothing was changed.")


def ask_yes_no(question: str) -> bool:
    """True only for a y or yes; Enter means no."""
    return ask(f"{question} [y/N] ").lower() in {"y", "yes"}


def ask(prompt: str) -> str:
    """One line from the terminal, stripped; "" at the end of input. The prompt goes to stderr: stdout is for data."""
    sys.stderr.write(visible(prompt))
    sys.stderr.flush()
    # A signal that comes right before a read that blocks would only be noticed behind it.
    while sys.platform != "win32" and not select.select([sys.stdin], [], [], LISTEN_S)[0]:
        pass
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        sys.stderr.write("\n")
    return line.strip()


def ask_decisions(decisions: Iterable[Decision]) -> dict[str, str]:
    """The operator's answer to each decision. Raises PrerequisiteError when one is left unanswered."""
    answers = {}
    for decision in decisions:
        say("", f"Decision {decision.name} (step {decision.step}): {decision.question}")
        for number, option in enumerate(decision.options, 1):
            say(f"  {number}  {option.value}: {option.text}")
        answers[decision.name] = _ask_option(decision)
    return answers


def _ask_option(decision: Decision) -> str:
    values = [option.value for option in decision.options]
    typed = ask("Number or name: ")
    while typed:
        if typed in values:
            return typed
        if typed.isdecimal() and 1 <= int(typed) <= len(values):
            return values[int(typed) - 1]
        typed = ask(f"One of {', '.join(values)}: ")
    raise PrerequisiteError(
        f"Decision {decision.name} was not answered.",
        why="Nothing was changed.",
        fix=f"Answer it, or give --decide {decision.name}={'|'.join(values)}.",
    )
