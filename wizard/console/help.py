"""How help looks: commands first, options in groups, examples as they are typed. The texts stand with the commands."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Options under the heading of their group; a command's own ones first."""
    groups: dict[str, list[tuple[str, str]]] = {"Options": []}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            groups.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(record)
    help_option = [record for record in groups["Options"] if "--help" in record[0]]
    groups["Options"] = [record for record in groups["Options"] if record not in help_option]
    groups.setdefault("Output", []).extend(help_option)
    for title, records in groups.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


class Command(TyperCommand):
    """A command whose help is grouped."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the groups."""
        _write_options(self, ctx, formatter)


class Group(TyperGroup):
    """The program itself: what it can do comes before how."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write commands, then the groups."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)
