"""The smallest Textual program that paints something: what a first paint is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """One word on the screen."""

    def compose(self) -> ComposeResult:
        yield Static("hello-world")


if __name__ == "__main__":
    Hello().run()
