"""What will keep a step waiting, told before it begins: old transactions, prepared ones, vacuums against wraparound."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.events import Noticed
from wizard.engine.looking.situation import Situation
from wizard.engine.session.blockers import SNAPSHOT, blocker_words, find_blockers, wanted_locks
from wizard.engine.views import Blocker, PrerequisiteResult
from wizard.rollout.model import Step

if TYPE_CHECKING:
    from wizard.engine.session.sitting import Sitting

IN_THE_WAY = "in-the-way"
"""Id of the prerequisite."""
OLD_S = 60.0
"""A transaction of this age is not expected to end by itself in a moment."""
CLEAR_S = 5.0
"""For so long a look that found nobody holds."""
MANY = 5
"""So many are told one by one."""


def prerequisite(connection: Connection, situation: Situation) -> PrerequisiteResult:
    """Warns of whoever the steps that are left would have to wait for. Reads only."""
    tables = {table for rendered in situation.remaining for table in _tables(rendered.step)}
    found, hidden = find_in_the_way(connection, situation.schema, tables)
    if not found:
        seen = f"; sessions whose age this role may not see: {hidden} (a member of pg_monitor may)" if hidden else ""
        words, fix = f"no transaction older than {OLD_S:.0f} s, none that is prepared{seen}", ""
    else:
        more = f"; and {len(found) - MANY} more" if len(found) > MANY else ""
        words = "; ".join(map(_words, found[:MANY])) + more
        fix = " ".join(dict.fromkeys(map(_fix, found[:MANY])))
    return PrerequisiteResult(
        id=IN_THE_WAY,
        title="No long-running or prepared transaction is in the way",
        level="warn" if found else "pass",
        found=words,
        fix=fix,
    )


def tell_before(here: Sitting, step: Step) -> None:
    """Tells who is in the way of a step that takes strong locks, right before it; each of them once in a sitting.

    While nobody was in the way of any step a moment ago, nobody old can be by now.
    """
    if not step.takes_strong_lock or time.monotonic() < here.clear_until:
        return
    everything = {table for one in here.situation.rollout.steps for table in _tables(one)}
    if not find_in_the_way(here.connection, here.settings.schema, everything)[0]:
        nobody_is(here)
        return
    found, _ = find_in_the_way(here.connection, here.settings.schema, _tables(step))
    for one in found:
        key = (one.pid, one.gid, one.backend_start)
        if key not in here.told_of:
            here.told_of.add(key)
            here.emit(Noticed(step=step.id, text=f"will be in the way: {_words(one)}. {_fix(one)}"))


def nobody_is(here: Sitting) -> None:
    """A look at all tables has just found nobody."""
    here.clear_until = time.monotonic() + CLEAR_S


def find_in_the_way(connection: Connection, schema: str, tables: Iterable[str]) -> tuple[tuple[Blocker, ...], int]:
    """Who is in the way of locks on these tables, oldest first; and how many sessions' age this role may not see.

    A vacuum that is not against wraparound is none of them: it gives way.
    """
    names = sorted(tables)
    row = connection.execute(query("in_the_way"), {"schema": schema, "tables": names, "seconds": OLD_S}).fetchone()
    assert row is not None
    if not row["pids"] and not row["prepared"]:
        return (), row["hidden"]
    wanted = wanted_locks(connection, schema, dict.fromkeys(names, "ACCESS EXCLUSIVE"))
    seen = find_blockers(connection, 0, wanted, pids=row["pids"], holders=False)
    return tuple(one for one in seen.blockers if one.kind != "autovacuum"), row["hidden"]


def _tables(step: Step) -> set[str]:
    return {lock.table for lock in step.locks if lock.existing}


def _words(one: Blocker) -> str:
    held = (
        one if one.holds else one.model_copy(update={"holds": f"{SNAPSHOT}, which a concurrent index build waits for"})
    )
    return blocker_words(held)


def _fix(one: Blocker) -> str:
    if one.kind == "prepared transaction":
        gid = sql.Literal(one.gid).as_string()
        return f"Its owner ends it: COMMIT PREPARED {gid}; or ROLLBACK PREPARED {gid};"
    if one.kind == "wraparound autovacuum":
        return "Let that vacuum end first: SELECT * FROM pg_stat_progress_vacuum;"
    return f"Let it end, or end it: SELECT pg_terminate_backend({one.pid});"
