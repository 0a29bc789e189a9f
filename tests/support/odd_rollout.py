"""A rollout of one step whose files hold what a test is about. No assertions live here."""

from __future__ import annotations

from pathlib import Path

from wizard.rollout.load import load_rollout
from wizard.rollout.model import Rollout

STEP = """
id = '''{id}'''
title = "Weird"
label = "Weird"
does = "d"
why = "w"
{more}
[[deploy]]
sql = "deploy.sql"

[[revert]]
sql = "revert.sql"
"""


def make_rollout(folder: Path, deploy: str, *, revert: str = "DROP TABLE tt", step: str = "1", **files: str) -> Rollout:
    """A rollout of one step. `files`: facts, prerequisite, check (the text of its query) or loses (a condition)."""
    (folder / "steps").mkdir()
    (folder / "sql").mkdir()
    header = f"name = 'weird'\ntitle = 'Weird'\nminimum_server = 150000\nsteps = ['''{step}''']\n"
    more = ""
    for name, text in {"deploy": deploy, "revert": revert, **files}.items():
        (folder / "sql" / f"{name}.sql").write_text(text, encoding="utf-8")
    if "facts" in files:
        header += 'facts = "facts.sql"\n'
    tail = "".join(
        f'\n[[{kind}]]\nid = "{kind}"\ntitle = "{kind}"\nsql = "{kind}.sql"\n'
        for kind in ("prerequisite", "check")
        if kind in files
    )
    if "loses" in files:
        tail += '\n[[loses]]\nwhat = "rows"\ntable = "tt"\nrows = "' + files["loses"] + '"\n'
    (folder / "steps" / "rollout.toml").write_text(header, encoding="utf-8")
    (folder / "steps" / "1.toml").write_text(STEP.format(id=step, more=more) + tail, encoding="utf-8")
    return load_rollout(folder)
