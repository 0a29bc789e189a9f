"""The common options as plain data, declared once: typer's parameters and the screen's quick start read them here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

TARGET = "Target"
SAFETY = "Safety"
ROLLOUT = "Rollout"
OUTPUT = "Output"
DEMO = "Demo"

STRATEGIES = ("auto", "atomic", "online")


@dataclass(frozen=True)
class CommonOption:
    """One option that stands before or after any command."""

    panel: str
    name: str
    """As typed, for example "--target-name"."""
    text: str
    """What the help says."""
    kind: Literal["flag", "text", "number", "list", "strategy"] = "flag"
    metavar: str = ""
    short: str = ""

    @property
    def key(self) -> str:
        """The name of its value: target_name."""
        return self.name.lstrip("-").replace("-", "_")


COMMON_OPTIONS = (
    CommonOption(TARGET, "--dsn", "libpq URL or conninfo [PG* variables, DATABASE_URL]", "text", "URL"),
    CommonOption(TARGET, "--demo", "A database of its own, like CloneAI's, to practise on"),
    CommonOption(TARGET, "--target-name", "Its name, as shown and typed [project ref or host/dbname]", "text", "NAME"),
    CommonOption(TARGET, "--env", "What it is [RAG_WIZARD_ENV; production unless local]", "text", "NAME"),
    CommonOption(TARGET, "--schema", "Schema that is changed [public]", "text", "NAME"),
    CommonOption(ROLLOUT, "--rollout", "Another rollout than the built-in phase-1", "text", "DIR"),
    CommonOption(
        ROLLOUT,
        "--strategy",
        "One transaction, or no long lock [auto: by table size]",
        "strategy",
        "|".join(STRATEGIES),
    ),
    CommonOption(ROLLOUT, "--decide", "Answer a question that check asks; repeatable", "list", "NAME=VALUE"),
    CommonOption(ROLLOUT, "--operator", "Who is recorded as doing it [user@host]", "text", "NAME"),
    CommonOption(SAFETY, "--dry-run", "Say what would happen; the server refuses writes"),
    CommonOption(SAFETY, "--read-only", "Look only: the screen without its writing keys"),
    CommonOption(SAFETY, "--yes", "Do not ask; needed without a terminal", short="-y"),
    CommonOption(SAFETY, "--confirm", "Target name, given instead of typed (production)", "text", "TARGET"),
    CommonOption(SAFETY, "--end-orphan", "End the session that a dead wizard left behind"),
    CommonOption(SAFETY, "--lock-timeout", "Longest wait of one try for a table lock [700ms]", "text", "TIME"),
    CommonOption(SAFETY, "--batch-rows", "Rows of a backfill in one transaction [20 to 50 ms]", "number", "N"),
    CommonOption(SAFETY, "--batch-delay", "Pause between two such batches [what others need]", "text", "TIME"),
    CommonOption(OUTPUT, "--json", "Stdout for programs: a document, or an event a line"),
    CommonOption(OUTPUT, "--state-dir", "Place for demo, archives, logs and crash reports", "text", "DIR"),
    CommonOption(OUTPUT, "--version", "Print the version and exit"),
    CommonOption(DEMO, "--fresh", "A new demo database; the old one is dropped"),
    CommonOption(DEMO, "--rows", "Clones in a new demo database, twice as many knowledge", "number", "N"),
    CommonOption(DEMO, "--fail-at", "Practice: this step fails once", "text", "STEP"),
)

_BY_NAME = {name: option for option in COMMON_OPTIONS for name in (option.name, option.short) if name}
_NEEDS_THE_PARSER = {"version", "json"}


def screen_options(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The options of a start without a command, by key; None where the full parser has to look.

    That is where a command, a help option, an unknown word or a value that does not fit is found: loading the parser
    costs a third of a first paint, so it is spared where there is nothing to explain.
    """
    found: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        name, sign, value = word.partition("=")
        option = _BY_NAME.get(name)
        if option is None or option.key in _NEEDS_THE_PARSER or (option.kind == "flag" and sign):
            return None
        if option.kind == "flag":
            found[option.key] = True
            continue
        text = value if sign else next(words, None)
        if text is None or not _fits(option, text):
            return None
        if option.kind == "list":
            found.setdefault(option.key, []).append(text)
        else:
            found[option.key] = int(text) if option.kind == "number" else text
    return found


def _fits(option: CommonOption, text: str) -> bool:
    if option.kind == "number":
        return text.isdecimal()
    return option.kind != "strategy" or text in STRATEGIES
