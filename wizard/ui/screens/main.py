"""The main screen: composes the regions and draws the board into them. What a key does is in app.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Static

from wizard.ui.board import Board
from wizard.ui.commands import COMMANDS, TABS, View, footer
from wizard.ui.messages import StageScrolled, StepHighlighted, StepShown, TabChosen
from wizard.ui.page import Page
from wizard.ui.widgets.answers import Answers
from wizard.ui.widgets.bars import KeyBar, StateLine, TargetBar
from wizard.ui.widgets.edge import Edge
from wizard.ui.widgets.logpane import LogPane
from wizard.ui.widgets.stage import StageBody, Tabs
from wizard.ui.widgets.steps import Parts, Row, StepKeys, StepList, Strip
from wizard.ui.widgets.textpane import TextPane

if TYPE_CHECKING:
    from wizard.engine.views import StepView

NEEDED = (80, 24)
WIDE = (120, 32)
"""From this size on everything is on the screen at once."""
STATE_TAB = "0"
ROOMY = frozenset(
    {
        Page.TROUBLE,
        Page.FAILED,
        Page.CONFLICT,
        Page.CHECKS_FAILED,
        Page.FINISHED,
        Page.ROLLED_BACK,
        Page.DECISION,
        Page.RESUME,
    }
)
"""State pages that say themselves what Now would say, and which keys there are."""


class MainScreen(Screen[None]):
    """One board, drawn. `tab` and `current` are what the operator looks at; everything else comes from the board."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        *(binding for command in COMMANDS for binding in command.bindings),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]

    current: var[str] = var("")
    """Id of the highlighted step."""
    tab: var[str] = var("1")
    """Key of the chosen tab."""
    unfolded: var[bool] = var(False)
    """The wizard's own statements are shown in full."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.board = board
        self._page = Page.NONE
        self.drawing = False
        """The board changed and is drawn once the present message is handled."""
        self._home = False
        self.staying = False
        """The highlight stays where it is, whatever happens: an answer was given there."""
        self._asked = False
        """The answers get the focus as soon as they are there."""
        self._searched: TextPane | None = None
        self._to_find = False
        """What is sought is looked for once the pane shows its new text."""
        self.sought = ""
        """What was searched for last."""
        self.awaited = ""
        """The step that was next when the run began: the highlight follows from there."""

    def compose(self) -> ComposeResult:
        """The regions, top to bottom."""
        yield TargetBar(id="target")
        yield StateLine(id="state")
        yield Strip(id="strip")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Edge("top", "Steps", id="steps-edge")
                yield StepList(id="steps")
                yield Edge("middle", id="parts-edge")
                yield Parts(id="parts")
                yield Edge("bottom")
            with Vertical(id="right"):
                yield Edge("top", id="stage-edge")
                yield Tabs(id="tabs")
                with Vertical(id="stage-row"):
                    yield StageBody(id="stage")
                    yield Answers()
                    yield Static(id="pages")
                yield Edge("middle", "Now", id="now-edge")
                yield Static(id="now")
                yield Edge("bottom")
        with Vertical(id="log-box"):
            yield Edge("top", "Log", id="log-edge")
            yield LogPane(id="log")
            yield Edge("bottom")
        yield KeyBar()
        yield Static(id="too-small")

    # ------------------------------------------------------------------ size and focus

    @property
    def narrow(self) -> bool:
        """The layout of 80 columns."""
        return self.has_class("-narrow")

    @property
    def view(self) -> View:
        """What the table of commands needs to know of this screen."""
        board = self.board
        return View(
            narrow=self.narrow,
            copyable=bool(board.steps) or board.trouble is not None,
            choosing=board.takes_types_file(board.step(self.current)),
        )

    @property
    def step_keys(self) -> StepKeys:
        """Whatever lists the steps at this size."""
        if self.narrow and not self.has_class("-steps"):
            return self.query_one("#strip", Strip)
        return self.query_one("#steps", StepList)

    def on_mount(self) -> None:
        """Choose the layout, then draw for the first time."""
        self._fit(self.app.size.width, self.app.size.height)
        self.step_keys.focus()
        self.draw()
        self.set_interval(0.5, self._tick)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout anew; what runs is not disturbed."""
        listing = isinstance(self.focused, StepKeys)
        self._fit(event.size.width, event.size.height)
        if listing:
            self.step_keys.focus()
        self.draw()

    def _fit(self, width: int, height: int) -> None:
        tiny = width < NEEDED[0] or height < NEEDED[1]
        self.set_class(tiny, "-tiny")
        self.set_class(width < WIDE[0] or height < WIDE[1], "-narrow")
        if not self.narrow:
            self.remove_class("-steps")
        if tiny:
            text = f"{width}x{height} is too small: {NEEDED[0]}x{NEEDED[1]} is needed."
            self.query_one("#too-small", Static).update(Content(text))

    def toggle(self, name: str, on: bool | None = None) -> None:
        """Show or leave the step list ("-steps") or the full log ("-log")."""
        self.set_class(not self.has_class(name) if on is None else on, name)
        if name == "-log" and self.has_class(name):
            self.query_one("#log", LogPane).focus()
        else:
            self.step_keys.focus()
        self.draw()

    # ------------------------------------------------------------------ looking

    @on(StepHighlighted)
    def _look_at(self, message: StepHighlighted) -> None:
        self.look_at(message.step)

    @on(TabChosen)
    def _choose_tab(self, message: TabChosen) -> None:
        self.choose_tab(message.key)

    @on(StageScrolled)
    def _count_pages(self) -> None:
        self.query_one("#pages", Static).update(Content(self.query_one("#stage", StageBody).pages))

    def look_at(self, step_id: str) -> None:
        """Highlight a step; the state page gives way to its tabs."""
        self.board.notice = ""
        if step_id != self.current:
            self.current = step_id
            step = self.board.step(step_id)
            in_conflict = self.board.page is Page.CONFLICT and step is not None and bool(step.conflicts)
            if self.tab == STATE_TAB and not in_conflict:
                self.tab = "1"
        self.draw(home=True)

    def watch_current(self, step_id: str) -> None:
        """Tell the app, which reads what that step wants to be seen."""
        self.post_message(StepShown(step_id))

    def choose_tab(self, key: str) -> None:
        """Show a tab; "0" only while the rollout's state has a page."""
        self.board.notice = ""
        if key == STATE_TAB and self.board.page is Page.NONE:
            return
        self.tab = key
        if self.narrow:
            self.remove_class("-steps")
        self.remove_class("-log")
        self.draw(home=True)

    def action_page(self, direction: int) -> None:
        """Page through the stage from wherever the focus is."""
        stage = self.query_one("#stage", StageBody)
        if direction > 0:
            stage.scroll_page_down(animate=False)
        else:
            stage.scroll_page_up(animate=False)

    def follow(self) -> None:
        """The board changed state: look at the step that matters now, and at the state page if there is one."""
        board = self.board
        if board.live is not None:
            self.current, tab = board.live.step, self.tab
            self.awaited = ""
        elif board.failure is not None:
            self.current, tab = board.failure.step, STATE_TAB
        elif self.staying and self.current:
            tab = self.tab
        elif board.conflicts:
            self.current, tab = board.conflicts[0].step, self.tab
            self.awaited = self.current
        else:
            self.current = (
                board.next_step.id if board.next_step else self.current or (board.steps[-1].id if board.steps else "")
            )
            tab = self.tab
            self.awaited = self.current
        page = board.page
        if page is not self._page:
            self._page = page
            tab = STATE_TAB if page is not Page.NONE else "1" if self.tab == STATE_TAB else self.tab
        self.tab = "1" if tab == STATE_TAB and page is Page.NONE else tab
        self.draw(home=True)

    # ------------------------------------------------------------------ asking and searching

    def ask(self) -> None:
        """Go to the answers once they are drawn."""
        self._asked = True
        self.draw()

    @property
    def answering(self) -> bool:
        """The answers have the focus."""
        return self.focused is self.query_one(Answers)

    def _draw_answers(self, step: StepView | None) -> None:
        """List the answers to what the stage asks, or take them away."""
        from wizard.ui.pages.decisions import to_answer

        answers, left = self.query_one(Answers), self.answering
        questions = to_answer(self.board, step, self.tab)
        answers.show(questions, self.board.given)
        if questions and self._asked:
            answers.focus()
        elif left and not questions:
            self.step_keys.focus()
        self._asked = self._asked and self.board.busy
        self.set_class(bool(questions) or (self.tab == STATE_TAB and self.board.page in ROOMY), "-page")

    @property
    def log_focused(self) -> bool:
        """A search looks through the log."""
        return self.has_class("-log") or self.focused is self.query_one("#log")

    def find(self, text: str, *, in_log: bool) -> str:
        """Search; returns a sentence for the State line."""
        self.sought = text
        if in_log and not self.has_class("-log"):
            self.toggle("-log", on=True)  # else only its last lines are there to be searched
        self._searched = self.query_one("#log" if in_log else "#stage", TextPane)
        if not in_log and self.tab != "2":
            self.choose_tab("2")
        self._to_find = True
        self.draw()
        return f'looking for "{text}"'

    def _find(self) -> None:
        if self._searched is not None:
            self.board.notice = self._searched.find(self.sought)
            self.draw()

    def match(self, by: int) -> str:
        """The next match, or the one before."""
        if self._searched is None:
            return "nothing is sought; / asks what to look for"
        return self._searched.step(by)

    # ------------------------------------------------------------------ drawing

    def draw(self, *, home: bool = False) -> None:
        """Draw the board soon; several calls draw once. While the engine works, at most ten times a second."""
        self._home = self._home or home
        if self.drawing:
            return
        self.drawing = True
        if self.board.live is not None:
            self.set_timer(0.1, self._draw)
        else:
            self.call_after_refresh(self._draw)

    def _tick(self) -> None:
        if self.board.live is not None:
            self._draw_now()

    def _draw(self) -> None:
        self.drawing = False
        if not self.is_mounted:
            return
        board = self.board
        self.set_class(board.dry, "-dry-run")
        self.set_class((board.failure is not None or bool(board.conflicts)) and not board.busy, "-failed")
        for edge in self.query("#right Edge").results(Edge):
            edge.double = board.dry
        self.query_one(TargetBar).show(board, narrow=self.narrow)
        self.query_one(StateLine).show(board)
        self._draw_steps()
        self._draw_stage()
        self._draw_now()
        self._draw_log()
        self.query_one(KeyBar).show(footer(board, self.view))
        if self._to_find:
            self._to_find = False
            self.call_after_refresh(self._find)

    def _draw_steps(self) -> None:
        from wizard.ui.pages.objects import standing

        board = self.board
        rows = tuple(Row(step.id, step.label, *standing(board, step)) for step in board.steps)
        count = f"{board.complete} of {len(rows)}" if rows else ""
        for widget in (self.query_one("#strip", Strip), self.query_one("#steps", StepList)):
            widget.rows, widget.current = rows, self.current
        self.query_one("#strip", Strip).count = count
        self.query_one("#steps-edge", Edge).count = count
        self._draw_parts(board.step(self.current))

    def _draw_parts(self, step: StepView | None) -> None:
        from wizard.ui.pages.parts import part_lines, parts_done

        edge, parts = self.query_one("#parts-edge", Edge), self.query_one("#parts", Parts)
        if step is None:
            edge.heading, edge.count, parts.lines = "", "", ()
            return
        edge.heading, edge.count = f"{step.id} parts", parts_done(self.board, step)
        parts.lines = part_lines(self.board, step, max(parts.content_size.width, 20))
        live = self.board.live
        parts.focus_line = live.part if live and live.step == step.id else 0

    def _draw_stage(self) -> None:
        from wizard.ui.pages import stage

        board, body = self.board, self.query_one("#stage", StageBody)
        step = board.step(self.current)
        edge = self.query_one("#stage-edge", Edge)
        edge.heading, edge.count = stage.heading(board, step, self.tab, edge.size.width, narrow=self.narrow)
        tabs = self.query_one("#tabs", Tabs)
        tabs.tabs, tabs.active = stage.tabs(board, step, TABS, narrow=self.narrow), self.tab
        width = max(body.scrollable_content_region.width, 20)
        text = stage.text(board, step, self.tab, width, unfolded=self.unfolded)
        body.show(Content("\n").join(text.wrap(width)))
        self._draw_answers(step)
        if self._home:
            self._home = False
            body.scroll_home(animate=False)
        self.call_after_refresh(self._count_pages)

    def _draw_now(self) -> None:
        from wizard.ui.pages.now import aside, now

        region = self.query_one("#now", Static)
        # Measured beside it: a region that was hidden a moment ago has no width yet.
        width, height = max(self.query_one("#right").size.width - 4, 20), 4 if self.narrow else 7
        region.update(Content("\n").join(now(self.board, self.current, width)[:height]))
        self.query_one("#now-edge", Edge).count = aside(self.board)

    def _draw_log(self) -> None:
        board, pane = self.board, self.query_one("#log", LogPane)
        full = self.has_class("-log")
        lines = board.log if full else board.log[-(3 if self.narrow else 6) :]
        empty = "not sent" if board.dry else "nothing executed"
        pane.show_lines(lines, narrow=self.narrow, full=full, empty=empty)
        if board.statements:
            saved = f"UTC · {board.statements} statements · saved in the database"
        else:
            saved = "UTC · nothing executed"
        self.query_one("#log-edge", Edge).count = "not sent" if board.dry else saved
