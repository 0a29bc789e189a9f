"""From a Launch to what the engine needs: target (or demo), rollout, settings. Shows and asks nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from wizard.errors import UsageError
from wizard.launch import DEFAULT_LOCK_TIMEOUT_MS, default_operator, default_state_dir
from wizard.text import duration

if TYPE_CHECKING:
    from pathlib import Path

    from wizard.db.target import Target
    from wizard.engine.settings import Settings
    from wizard.launch import Launch
    from wizard.rollout.model import Rollout


@contextmanager
def open_target(launch: Launch) -> Iterator[Target]:
    """The target that `launch` names; the demo's server runs while the context is open.

    Raises UsageError for contradicting or faulty settings and NoTargetError (exit 4) when none are given.
    """
    if launch.dsn is not None and launch.demo:
        raise UsageError(
            "--dsn and --demo name two targets.",
            why="The wizard works on one database at a time and does not choose between them.",
            fix="Leave one of the two out.",
        )
    if launch.demo:
        from wizard.db.resolve import name_environment
        from wizard.demo.api import open_demo

        with open_demo(launch.state_dir, fresh=launch.fresh, rows=launch.rows) as demo:
            target = replace(demo, name=launch.target_name or demo.name)
            if launch.env:
                env, production = name_environment(launch.env, local=True)
                target = replace(target, env=env, production=production)
            yield target
        return
    if launch.fresh or launch.rows is not None:
        raise UsageError(
            f"{'--fresh' if launch.fresh else '--rows'} belongs to the demo database.",
            why="It makes data, so it is refused for a database that is already there.",
            fix="Add --demo, or leave it out.",
        )
    from wizard.db.resolve import resolve_target

    target = resolve_target(launch.dsn, target_name=launch.target_name, env=launch.env, password=launch.password)
    if launch.fail_at and target.production:
        raise UsageError(
            f"--fail-at is for practice and {target.name} is a production database.",
            fix="Use --demo to practise, or leave --fail-at out.",
        )
    yield target


def load(launch: Launch) -> Rollout:
    """The rollout that `launch` names. Raises RolloutInvalidError, or UsageError for unknown steps and decisions."""
    from wizard.rollout.answers import require_answers
    from wizard.rollout.load import load_rollout

    rollout = load_rollout(launch.rollout)
    if launch.fail_at and launch.fail_at not in rollout.order:
        raise UsageError(
            f"--fail-at {launch.fail_at}: {rollout.name} has no such step.",
            fix=f"Its steps: {', '.join(rollout.order)}.",
        )
    require_answers(rollout, launch.decisions)
    return rollout


def settings_from(launch: Launch) -> Settings:
    """The engine's settings for `launch`."""
    from wizard.engine.settings import Settings

    return Settings(
        schema=launch.schema,
        strategy=launch.strategy,
        operator=launch.operator,
        lock_timeout_ms=launch.lock_timeout_ms,
        batch_rows=launch.batch_rows,
        batch_delay_s=launch.batch_delay_s,
        decisions=dict(launch.decisions),
        fail_at=launch.fail_at,
        end_orphan=launch.end_orphan,
        types_file=_types_file(launch),
        types_replace=launch.types_replace,
        types_copies=launch.state_dir / "types",
        command=command_of(launch),
        archives=launch.state_dir / "archives",
    )


def _types_file(launch: Launch) -> Path | None:
    """The file named, else the demo's own."""
    if launch.types_file is None and launch.demo and launch.rollout is None:
        from wizard.demo.types_file import types_file_of

        return types_file_of(launch.state_dir)
    return launch.types_file


def command_of(launch: Launch) -> str:
    """The program's name with the options that lead to the same target and rollout, to paste; never with a password."""
    words = ["rag-wizard"]
    if launch.demo:
        words.append("--demo")
    elif launch.dsn is not None:
        from wizard.db.dsn import without_password

        words += ["--dsn", without_password(launch.dsn)]
    for option, value, default in (
        ("--target-name", launch.target_name, ""),
        ("--env", launch.env, ""),
        ("--schema", launch.schema, "public"),
        ("--rollout", str(launch.rollout or ""), ""),
        ("--strategy", launch.strategy, "auto"),
        ("--operator", launch.operator or default_operator(), default_operator()),
        ("--lock-timeout", f"{launch.lock_timeout_ms}ms", f"{DEFAULT_LOCK_TIMEOUT_MS}ms"),
        ("--batch-rows", str(launch.batch_rows or ""), ""),
        ("--batch-delay", "" if launch.batch_delay_s is None else duration(launch.batch_delay_s).replace(" ", ""), ""),
        ("--state-dir", str(launch.state_dir), str(default_state_dir())),
        *(("--decide", f"{name}={value}", "") for name, value in launch.decisions.items()),
    ):
        if value != default:
            words += [option, value]
    return shlex.join(words)
