"""Answers to a rollout's decisions, as somebody gives them by name."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.errors import UsageError
from wizard.rollout.model import Rollout


def require_answers(rollout: Rollout, given: Mapping[str, str]) -> None:
    """Raises UsageError for a decision that the rollout does not ask, or an answer that it does not offer.

    Several decisions may have one name: they ask the same in different situations, and each has options of its own.
    """
    known: dict[str, list[str]] = {}
    for decision in rollout.decisions:
        known.setdefault(decision.name, []).extend(option.value for option in decision.options)
    for name, answer in given.items():
        if name not in known:
            raise UsageError(f'{rollout.name} has no decision "{name}"', fix=f"Known: {', '.join(known) or 'none'}.")
        if answer not in known[name]:
            options = ", ".join(dict.fromkeys(known[name]))
            raise UsageError(f'"{answer}" is no answer to decision "{name}"', fix=f"Use one of: {options}.")
