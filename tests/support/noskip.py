"""A skipped test is a failure where RAG_WIZARD_NO_SKIPS is set: nothing that lands was left untried."""

from __future__ import annotations

import os

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what was skipped."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("RAG_WIZARD_NO_SKIPS"):
        terminalreporter.write_line(
            f"{len(skipped)} skipped, and RAG_WIZARD_NO_SKIPS is set: this run failed", red=True
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turns a run with skips into a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("RAG_WIZARD_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
