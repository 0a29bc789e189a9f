"""Everything that is rolled out in a database, of any rollout and schema, and the command that rolls each back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.settings import Settings
from wizard.errors import RefusedError
from wizard.rollout.load import load_rollout

_OF_ONE_ROLLOUT = {"--schema", "--rollout", "--strategy", "--decide"}
"""Options that say which rollout is meant, or how it began: they belong to none but the one they were given for."""


@dataclass(frozen=True)
class Standing:
    """A rollout of which a part is done, or done in part, and not rolled back."""

    name: str
    schema: str

    def __str__(self) -> str:
        return f"{self.name} in schema {self.schema}"


def find_standing(connection: Connection) -> tuple[Standing, ...]:
    """Every such rollout in the registry, which is there."""
    rows = connection.execute(query("standing_rollouts")).fetchall()
    return tuple(Standing(row["name"], row["target_schema"]) for row in rows)


def require_none_standing(standing: Sequence[Standing], settings: Settings, rollout: str) -> None:
    """Raises RefusedError with the command that rolls each back, if there are any. Nothing was changed then.

    `rollout` is the name of the one that the settings' command is about.
    """
    if not standing:
        return
    commands = "\n".join(_command(one, settings, rollout) for one in standing)
    raise RefusedError(
        f"still rolled out: {', '.join(map(str, standing))}",
        why="Without the registry nobody can roll it back. Nothing was changed.",
        fix=f"Roll back first:\n{commands}\nOr keep what was made: {settings.command} forget --keep-objects",
    )


def _command(one: Standing, settings: Settings, rollout: str) -> str:
    same = (one.name, one.schema) == (rollout, settings.schema)
    if same:
        return f"{settings.command} rollback"
    words, note = _without(shlex.split(settings.command)), ""
    if one.schema != "public":
        words += ["--schema", one.schema]
    if one.name == rollout:
        words += _given(shlex.split(settings.command), "--rollout")
    elif one.name != load_rollout().name:
        # The registry knows a rollout by its name, not where its folder lies.
        words, note = [*words, "--rollout", "DIR"], f"   (DIR: the folder of rollout {one.name})"
    return shlex.join([*words, "rollback"]) + note


def _without(words: Sequence[str]) -> list[str]:
    """The command's words without the options of one rollout and their values."""
    return [
        word
        for before, word in zip(("", *words), words, strict=False)
        if word not in _OF_ONE_ROLLOUT and before not in _OF_ONE_ROLLOUT
    ]


def _given(words: Sequence[str], option: str) -> list[str]:
    return [option, words[words.index(option) + 1]] if option in words else []
