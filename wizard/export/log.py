"""The statement log as text: SQL that replays, JSON lines, Markdown. It reads no database and writes no file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal

from wizard.engine.keeping.capture import CAPTURE
from wizard.engine.parts.paths import narrow_path, setting, wide_path
from wizard.engine.views import LoggedStatement
from wizard.export.fills import Fills
from wizard.text import one_line, visible

LogFormat = Literal["sql", "jsonl", "md"]

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class LogHeader:
    """What stands above an exported log."""

    target: str
    address: str
    rollout: str
    schema: str
    """Both are of the rollout that was asked for; statements that name their own go before."""
    exported_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def export_log(statements: Iterable[LoggedStatement], format: LogFormat, header: LogHeader) -> str:  # noqa: A002
    """The whole log, oldest first, as one text in `format` ("sql", "jsonl" or "md")."""
    write = {"sql": _sql, "jsonl": _jsonl, "md": _markdown}[format]
    return "\n".join(write(list(statements), header)) + "\n"


def _stamp(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "time unknown"


def _place(statement: LoggedStatement, header: LogHeader) -> tuple[str, str]:
    """Rollout and schema that a statement belongs to: a log may hold those of several."""
    return statement.rollout or header.rollout, statement.target_schema or header.schema


def _places(statements: list[LoggedStatement], header: LogHeader) -> list[tuple[str, str]]:
    """Every rollout in the log, in the order of their first statements; of an empty log the one asked for."""
    return list(dict.fromkeys(_place(one, header) for one in statements)) or [(header.rollout, header.schema)]


def _place_words(place: tuple[str, str], show: Callable[[str], str] = one_line) -> str:
    return f"{show(place[0])}, schema {show(place[1])}"


def _part(statement: LoggedStatement) -> tuple[str, str, int, str, str]:
    """What one transaction shares: session, step, part, direction and, in case a part ran twice, its transaction id."""
    return statement.session, statement.step, statement.part, statement.direction, statement.xid or ""


def _sql(statements: list[LoggedStatement], header: LogHeader) -> Iterator[str]:
    """psql script: what is committed, part by part as it was committed, everything else as comments."""
    places, fills, current = _places(statements, header), Fills(statements), None
    yield f"-- rag-wizard: the SQL executed on {one_line(header.target)} ({one_line(header.address)})"
    yield from (f"-- rollout {_place_words(place)}" for place in places)
    yield f"-- exported {_stamp(header.exported_at)}; {len(statements)} statements"
    yield "-- Replay on a copy as it was before: psql -X -f THIS_FILE, without -1. What was not committed is a comment."
    yield ""
    yield "\\set ON_ERROR_STOP on"
    yield "SET client_encoding = 'UTF8';"
    yield "SET standard_conforming_strings = on;"
    yield "SET row_security = off;"
    yield from fills.preparation()
    for (_, step, part, direction, xid), members in groupby(statements, _part):
        group = list(members)
        if (place := _place(group[0], header)) != current:
            current = place
            yield from _entered(place, named=len(places) > 1)
        # Triggers that write into the registry, which a replay has not; they go again before their rollback ends.
        replayed = step != CAPTURE
        committed = [member for member in group if member.stands and replayed]
        yield ""
        action = "step" if direction == "deploy" else "rollback of step"
        transaction = f", transaction {xid}" if xid and committed else ""
        yield f"-- {action} {one_line(step)}, part {part}, {_stamp(group[0].started_at)}{transaction}"
        yield f"-- by {one_line(group[0].operator)}"
        yield from _replay(committed, fills, place[1])
        for member in group:
            if member not in committed:
                yield f"-- {member.outcome}, not part of the replay: {one_line(member.error) or _why(member)}"
                yield from (f"--   {visible(line)}" for line in member.sql.splitlines())


def _entered(place: tuple[str, str], *, named: bool) -> Iterator[str]:
    """What follows is of this rollout, in this schema."""
    if named:
        yield from ("", f"-- from here on: rollout {_place_words(place)}")
    yield f"SET search_path = {narrow_path(place[1])};"


_WRITES = re.compile(r"(UPDATE|INSERT|DELETE|MERGE|WITH)\b", re.IGNORECASE)
"""Statements that run checks and triggers of the application, as the engine sends them."""


def _replay(committed: list[LoggedStatement], fills: Fills, schema: str) -> Iterator[str]:
    """A part as one transaction, but for statements that PostgreSQL refuses inside one."""
    if not committed:
        return
    for member in committed:
        if member.outcome == "interrupted":
            yield f"-- {one_line(member.error)}; the UPDATE goes further and changes all rows that were left"
    if committed[0].mode == "concurrently":
        for member in committed:
            yield from _as_sent(member, fills)
        return
    if committed[0].mode == "batches":
        batches = committed[0].batches
        many = _batches(batches) if batches is not None else "batches"
        yield f"-- sent in {many}, a transaction each; as one UPDATE it leaves the same rows"
    yield "BEGIN;"
    yield from _together(committed, fills, schema)
    yield "COMMIT;"


def _together(committed: list[LoggedStatement], fills: Fills, schema: str) -> Iterator[str]:
    """What is between BEGIN and COMMIT: rows are written with the search path that they were written with."""
    wide = wrote = False
    for member in committed:
        writes = bool(_WRITES.match(member.sql))
        if writes != wide:
            yield f"{setting(wide_path(schema) if writes else narrow_path(schema))};"
        wide, wrote = writes, wrote or writes
        yield from _as_sent(member, fills)
    if wrote and not wide:
        yield f"{setting(wide_path(schema))};"


def _batches(number: int) -> str:
    return f"{number:,} batch{'' if number == 1 else 'es'}"


def _why(statement: LoggedStatement) -> str:
    return "it concerns schema rag_wizard alone" if statement.outcome == "committed" else "no message"


def _as_sent(statement: LoggedStatement, fills: Fills) -> Iterator[str]:
    """A statement as it ran: a backfill held triggers back, and a replay that fired them would give other rows."""
    held = statement.hold_triggers
    if held:
        yield "SET LOCAL session_replication_role = replica;"
    yield _terminated(fills.replayed(statement))
    if held:
        yield "SET LOCAL session_replication_role = origin;"


def _terminated(sql: str) -> str:
    """The statement with its semicolon; on a line of its own if the text may end in a comment."""
    text = sql.rstrip()
    if text.endswith(";"):
        return text
    return f"{text}\n;" if "--" in text.rsplit("\n", 1)[-1] else f"{text};"


def _jsonl(statements: list[LoggedStatement], header: LogHeader) -> Iterator[str]:
    """One object a line; the first describes the export."""
    first = {
        "schema_version": SCHEMA_VERSION,
        "kind": "log",
        "target": header.target,
        "address": header.address,
        "rollout": header.rollout,
        "schema": header.schema,
        "exported_at": header.exported_at.astimezone(UTC).isoformat(),
        "statements": len(statements),
    }
    yield json.dumps(first)
    for statement in statements:
        yield json.dumps({"kind": "statement", **statement.model_dump(mode="json")})


def _markdown(statements: list[LoggedStatement], header: LogHeader) -> Iterator[str]:
    """A report to read: one heading per part, every statement with its outcome."""
    yield f"# SQL executed on {_inline(header.target)}"
    yield ""
    yield f"- Database: {_inline(header.address)}"
    places, current = _places(statements, header), None
    yield from (f"- Rollout: {_place_words(place, _inline)}" for place in places)
    yield f"- Exported: {_stamp(header.exported_at)}"
    yield f"- Statements: {len(statements)}"
    for (_, step, part, direction, _), members in groupby(statements, _part):
        group = list(members)
        if (place := _place(group[0], header)) != current and len(places) > 1:
            current = place
            yield from ("", f"From here on: rollout {_place_words(place, _inline)}")
        yield ""
        action = "Step" if direction == "deploy" else "Rollback of step"
        yield f"## {action} {one_line(step)}, part {part}"
        yield ""
        yield f"{_stamp(group[0].started_at)}, by {_inline(group[0].operator)}"
        for member in group:
            yield ""
            yield from _fenced(visible(member.sql.rstrip()))
            yield ""
            yield _facts(member)


def _facts(statement: LoggedStatement) -> str:
    facts = [f"**{statement.outcome}**"]
    if statement.rows is not None:
        facts.append(f"{statement.rows} rows")
    if statement.batches is not None:
        facts.append(_batches(statement.batches))
    if statement.duration_ms is not None:
        facts.append(f"{statement.duration_ms:.1f} ms")
    if statement.xid:
        facts.append(f"transaction {statement.xid}")
    if statement.lsn:
        facts.append(f"LSN {statement.lsn}")
    if statement.error:
        facts.append(_inline(statement.error))
    return ", ".join(facts)


def _fenced(text: str) -> Iterator[str]:
    """A code block whose fence is longer than any run of backticks in `text`."""
    fence = "```"
    while fence in text:
        fence += "`"
    yield f"{fence}sql"
    yield text
    yield fence


def _inline(text: str) -> str:
    """`text` as inline code, so that Markdown in it stays text."""
    line = one_line(text)
    return f"`` {line} ``" if "`" in line else f"`{line}`"
