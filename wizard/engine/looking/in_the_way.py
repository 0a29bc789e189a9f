"""What will keep a step waiting, told before it begins: old transactions, prepared ones, vacuums against wraparound."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from wizard.db.connect import Connection
from wizard.db.queries import query
from wizard.engine.looking.situation import Situation
from wizard.engine.session.blockers import SNAPSHOT, blocker_words, find_blockers, wanted_locks
from wizard.engine.views import Blocker, PrerequisiteResult
from wizard.rollout.model import Step

IN_THE_WAY = "in-the-way"
"""Id of the prerequisite."""
OLD_S = 60.0
"""A transaction of this age is not expected to end by itself in a moment."""
MANY = 5
"""So many are told one by one."""


def prerequisite(connection: Connection, situation: Situation) -> PrerequisiteResult:
    """Warns of whoever the steps that are left would have to wait for. Reads only."""
    tables = {table for rendered in situation.remaining for table in tables_of(rendered.step)}
    found, hidden = find_in_the_way(connection, situation.schema, tables)
    if not found:
        seen = f"; sessions whose age this role may not see: {hidden} (a member of pg_monitor may)" if hidden else ""
        words, fix = f"no transaction older than {OLD_S:.0f} s, none that is prepared{seen}", ""
    else:
        more = f"; and {len(found) - MANY} more" if len(found) > MANY else ""
        words = "; ".join(map(described, found[:MANY])) + more
        fix = " ".join(dict.fromkeys(map(cure_of, found[:MANY])))
    return PrerequisiteResult(
        id=IN_THE_WAY,
        title="No long-running or prepared transaction is in the way",
        level="warn" if found else "pass",
        found=words,
        fix=fix,
    )


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


def tables_of(step: Step) -> set[str]:
    """Tables that were there before and that a step locks."""
    return {lock.table for lock in step.locks if lock.existing}


def described(one: Blocker) -> str:
    """Who it is and what it holds; one that holds no lock keeps concurrent index builds waiting all the same."""
    held = (
        one if one.holds else one.model_copy(update={"holds": f"{SNAPSHOT}, which a concurrent index build waits for"})
    )
    return blocker_words(held)


def cure_of(one: Blocker) -> str:
    """What ends it."""
    if one.kind == "prepared transaction":
        gid = sql.Literal(one.gid).as_string()
        return f"Its owner ends it: COMMIT PREPARED {gid}; or ROLLBACK PREPARED {gid};"
    if one.kind == "wraparound autovacuum":
        return "Let that vacuum end first: SELECT * FROM pg_stat_progress_vacuum;"
    return f"Let it end, or end it: SELECT pg_terminate_backend({one.pid});"
