"""The rollback plan: which steps go, newest first, what would be lost, the SQL; Enter starts it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from wizard.engine.looking.dependents import dependents_words
from wizard.engine.words import lost_rows, object_lines
from wizard.text import plural
from wizard.ui.pages.differences import all_of
from wizard.ui.pages.sql import listing, named
from wizard.ui.pages.words import heading
from wizard.ui.screens.card import Card
from wizard.ui.screens.confirm import Problem
from wizard.ui.text import foreign, paragraph, stacked

if TYPE_CHECKING:
    from wizard.engine.views_back import RollbackPlan, RollbackStep

_SQL = ("show the SQL", "show all of the SQL", "hide the SQL")
"""What the key does next: nothing of it is shown; all but the wizard's own; everything."""


@dataclass(frozen=True)
class RollbackChoice:
    """What the operator said yes to."""

    to: str | None
    """The step that stays, with everything before it; None: everything goes."""
    archive: str
    """Folder that was shown; empty if no row goes."""


class Rollback(Card[RollbackChoice]):
    """One or two plans: everything, or back to before the highlighted step. `s` changes between them."""

    PALETTE = False
    AUTO_FOCUS = ""
    """The field takes keys only while it is needed: else they are this screen's own."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,f2", "swap", "Everything / from this step", show=False),
        Binding("o,f3", "fold", "SQL", show=False),
        Binding("enter", "start", "Start", show=False),
    ]

    def __init__(
        self, plans: tuple[RollbackPlan, ...], name: str, command: str, *, production: bool, width: int
    ) -> None:
        self._plans = plans
        self._command = command
        self._target = name
        self._production = production
        self._width = width
        self._at = 0
        self._sql = 0
        """How much of the SQL is shown, as in `_SQL`."""
        super().__init__("Rollback plan", self._content(), self._keys_now(), danger=True, wide=True)

    @property
    def plan(self) -> RollbackPlan:
        """The plan on the screen."""
        return self._plans[self._at]

    @property
    def blocked(self) -> bool:
        """It would be refused: something in its way has to be settled first."""
        return bool(self.plan.replaced_since or self.plan.dependents)

    @property
    def must_type(self) -> bool:
        """The target name is needed: production."""
        return self._production and not self.blocked

    def widgets(self) -> list[Widget]:
        """One line to type the target name in, where it is needed."""
        return [Input(id="name"), Problem(id="problem")] if self._production else []

    def on_mount(self) -> None:
        """The field to type in is there only while it is needed."""
        self.set_class(bool(self.query(Input)), "-form")
        self._refresh_field()

    def _refresh_field(self) -> None:
        for field in self.query(Input):
            field.display = self.must_type
            field.disabled = not self.must_type
            if self.must_type:
                field.focus()

    def _keys_now(self) -> str:
        swap, fold, start = ("f2", "f3", "when the name is typed") if self.must_type else ("s", "o", "the rollback")
        other = f"{swap}  the other plan    " if len(self._plans) > 1 else ""
        folding = f"{fold}  {_SQL[self._sql]}"
        starting = "" if self.blocked else f"enter  start {start}    "
        return f"{starting}{other}{folding}    esc  leave everything as it is"

    def _content(self) -> Content:
        plan, width = self.plan, self._width
        what = "everything that this rollout made" if plan.to is None else f"everything after step {plan.to}"
        lines = paragraph(f"On {self._target}: {what}, newest first. What was there before stays.", width)
        lines += [Content(""), *self._in_the_way(), *self._losses()]
        lines += [line for file in plan.files for line in paragraph(f"{file.path} {file.words}", width)]
        lines += [Content(""), *self._captures()]
        for step in plan.steps:
            count = sum(not statement.ours for statement in step.statements)
            lines.append(
                Content.assemble(
                    ("↶ ", "$error"),
                    f"{step.id:<4}",
                    foreign(step.title),
                    (f"  {plural(count, 'statement') if count else 'nothing to send'}", "$quiet"),
                )
            )
            for text in object_lines(step):
                lines += paragraph(text, width, indent="       ", style="$quiet")
            if self._sql and step.statements:
                lines += self._listed(step)
        return stacked(lines)

    def _listed(self, step: RollbackStep) -> list[Content]:
        key = "f3" if self.must_type else "o"
        text = listing(step.statements, self._width, unfolded=self._sql > 1, key=key)
        return [Content(""), *named(step.statements, self._width), text, Content("")]

    def _in_the_way(self) -> list[Content]:
        """What is not as it was made, and what somebody else built on what would go: the rollback is refused then."""
        lines: list[Content] = []
        if self.plan.replaced_since:
            lines += paragraph(
                "Not as this rollout made it: it does not begin before that is settled. Keep what you need of it; then"
                " rename it, drop it, or change it back.", self._width, style="$error",
            )  # fmt: skip
            lines += [Content(""), *all_of(self.plan.replaced_since, self._width)]
        if not self.plan.dependents:
            return lines
        lines.append(
            Content.styled("In the way, not made by this rollout: it does not begin before that is settled", "$error")
        )
        for text in dependents_words(self.plan.dependents):
            lines += paragraph(text, self._width, indent="  ")
        return [*lines, Content("")]

    def _losses(self) -> list[Content]:
        plan, width = self.plan, self._width
        if not plan.would_lose:
            return paragraph("No row is lost: nothing was added to what the rollout made.", width)
        lines = [heading("Archived first")]
        for loss in plan.losses:
            if loss.rows:
                lines += paragraph(f"{loss.step}  {lost_rows(loss)}", width, indent="  ")
        lines += paragraph(f"They go to {plan.archive}", width)
        command = f"{self._command} restore {shlex.quote(plan.archive)}"
        lines += paragraph(f"After a new run this brings them back: {command}", width)
        return lines

    def _captures(self) -> list[Content]:
        """Triggers that are made first and go again."""
        lines = []
        for number, step in enumerate(self.plan.captures):
            if not number:
                why = "so that what the application writes meanwhile is kept too"
                lines += paragraph(f"First, by triggers that go with the columns, {why}:", self._width)
            lines += paragraph(step.title, self._width, indent="  ")
            if self._sql:
                lines += self._listed(step)
        return [*lines, Content("")] if lines else []

    def action_swap(self) -> None:
        """The other plan."""
        self._at = (self._at + 1) % len(self._plans)
        self.show(self._content(), self._keys_now())
        self._refresh_field()

    def action_fold(self) -> None:
        """Show the SQL, then the wizard's own too, then none."""
        self._sql = (self._sql + 1) % len(_SQL)
        self.show(self._content(), self._keys_now())

    def action_start(self) -> None:
        """Enter, where no name has to be typed."""
        if not self.must_type and not self.blocked:
            self.dismiss(RollbackChoice(self.plan.to, self.plan.archive))

    @on(Input.Submitted)
    def _judge(self, event: Input.Submitted) -> None:
        if not self.must_type:
            return
        if event.value.strip() == self._target:
            self.dismiss(RollbackChoice(self.plan.to, self.plan.archive))
        else:
            self.query_one(Problem).say(f"That is not the target name. It is: {self._target}")
