"""What changes in a types file, as pages show it: the summary, and the difference in colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from wizard.ui.pages.words import heading
from wizard.ui.text import foreign, paragraph, stacked

if TYPE_CHECKING:
    from wizard.engine.views_types import TypesPlan

_STYLES = {"+": "$success", "-": "$error", "@": "$primary"}


def types_page(plan: TypesPlan, width: int) -> Content:
    """For the tab SQL of the types step: what was, or would be, changed."""
    return stacked([*summary(plan, width), Content(""), *difference(plan)])


def summary(plan: TypesPlan, width: int) -> list[Content]:
    """Which entries change, a paragraph for each way."""
    if plan.up_to_date:
        lines = paragraph(f"{plan.path} is up to date with schema {plan.schema_name}.", width)
    else:
        lines = paragraph(plan.path, width, style="bold")
    for head, names, style in (
        ("Added", plan.added, "$success"),
        ("Replaced, since the database has it differently", plan.replaced, "$warning"),
        ("Taken out, since the database does not have it", plan.removed, "$error"),
    ):
        if names:
            lines += [Content.styled(f"{head}:", style), *paragraph(", ".join(names), width, indent="  ")]
    for note in plan.notes:
        lines += paragraph(f"Note: {note}", width, style="$warning")
    return lines


def difference(plan: TypesPlan) -> list[Content]:
    """The unified diff, a line each; a sign and a colour say what goes and what comes."""
    if plan.up_to_date:
        return []
    lines = [heading("Difference")]
    for line in plan.difference:
        style = "bold" if line.startswith(("+++", "---")) else _STYLES.get(line[:1], "$quiet")
        # Spaces at the beginning of a line are lost when it is wrapped; these are not.
        bare = line.lstrip(" ")
        lines.append(foreign("\N{NO-BREAK SPACE}" * (len(line) - len(bare)) + bare, style))
    return lines
