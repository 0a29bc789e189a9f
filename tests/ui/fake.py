"""A scripted engine for tests of layout and keys only; whole rollouts are walked on the real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from wizard.db.target import Target
from wizard.engine.events import BackfillProgressed, Event, Listener, PartStarted, StepStarted
from wizard.engine.settings import Settings
from wizard.engine.standing_steps import StandingSteps
from wizard.engine.state import StepState
from wizard.engine.views import (
    CheckResult,
    ConflictView,
    CriterionResult,
    DryRun,
    Failure,
    Judgement,
    LastSession,
    LoggedStatement,
    ObjectView,
    Outcome,
    Parameter,
    PartView,
    PreviewTable,
    ServerView,
    StatementView,
    StepView,
    Survey,
    TableSize,
    Verification,
)
from wizard.launch import Launch
from wizard.rollout.kind import StepKind
from wizard.rollout.model import Deviation, Lock
from wizard.ui.app import WizardApp
from wizard.ui.desk import Desk, Snapshot
from wizard.ui.messages import listener_for
from wizard.ui.trouble import Trouble

NOON = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)
HOSTILE = "[/regex] $1 [0-9]"
ESCAPE = "\x1b[31mred"

LABELS = {
    "0": "Prerequisites", "1.1": "Domains", "1.2": "Experts", "1.3": "Documents", "1.4": "Vector stores",
    "1.5": "Assistants", "1.6": "Mapping table", "2.1": "Clones columns", "2.2": "Knowledge cols", "3": "Indexes",
    "4": "RLS policies", "5": "TypeScript", "6.1": "Default status", "6.2": "Map domains", "V": "Verification",
}  # fmt: skip
KINDS = {"0": StepKind.PREREQUISITES, "5": StepKind.MANUAL, "V": StepKind.VERIFICATION}

SQL = "ALTER TABLE clones\n    ADD COLUMN rag_enabled boolean,\n    ADD COLUMN rag_config jsonb DEFAULT '{}'"


def step(step_id: str, state: StepState, **changes: Any) -> StepView:
    """A step as an engine would render it."""
    kind = KINDS.get(step_id, StepKind.SQL)
    statements = (
        StatementView(sql="BEGIN", ours=True),
        StatementView(sql="SET LOCAL lock_timeout = '700ms'", ours=True),
        StatementView(sql=SQL, file="sql/deploy/clones.sql", line=3),
        StatementView(sql="COMMIT", ours=True),
    )
    parts = (PartView(title="add 5 columns", state=state, statements=statements),) if kind is StepKind.SQL else ()
    fields: dict[str, Any] = {
        "id": step_id, "title": f"{LABELS[step_id]} of the application", "label": LABELS[step_id], "kind": kind,
        "state": state, "does": "adds five columns to clones, one check constraint, two indexes",
        "why": "the application reads here whether a clone has RAG", "rows": "none rewritten", "rollback": "drops them",
        "todo": "", "locks": (Lock(mode="ACCESS EXCLUSIVE", table="clones", existing=True),),
        "sizes": (TableSize(table="clones", rows=1_000_000, bytes=387_973_120, analysed_at=NOON),),
        "strategy": "atomic: one transaction", "parts": parts, "revert": (StatementView(sql="DROP TABLE domains"),),
        "checks": (("columns", "all five columns"),),
        "deviations": (Deviation(title="names", reason="as Postgres would"),),
    }  # fmt: skip
    return StepView(**(fields | changes))


def survey(done: int = 0, **changes: Any) -> Survey:
    """A survey with the first `done` steps complete."""
    ids = list(LABELS)
    states = {
        step_id: (StepState.PASSED if KINDS.get(step_id) else StepState.DONE) if index < done else StepState.TODO
        for index, step_id in enumerate(ids)
    }
    fields: dict[str, Any] = {
        "target": "acme-prod", "schema_name": "public", "rollout": "phase-1",
        "server": ServerView(version="17.4", role="postgres", tls=True, connection="direct"),
        "steps": tuple(step(step_id, states[step_id]) for step_id in ids), "begun": done > 1,
        "finished": done == len(ids),
        "facts": {}, "statements": done, "sentence": "READY. Nothing was changed on acme-prod. Next: 0 Prerequisites",
    }  # fmt: skip
    return Survey(**(fields | changes))


def failed_survey(**changes: Any) -> Survey:
    """Step 2.2 failed; 2.1 and everything before it stands."""
    failure = Failure(
        **{
            "step": "2.2", "title": "Knowledge cols of the application", "part": 1, "sqlstate": "23503",
            "message": "insert or update violates foreign key", "detail": "Key (id)=(7) is not present.",
            "hint": "Look at the rows first.", "sql": SQL, "file": "sql/deploy/clones.sql", "line": 4, "column": 5,
            "state_now": "Steps 0 to 2.1 are committed; 2.2 left nothing behind.",
            "todo": ("Read the server's words.", "Then retry it."),
        } | changes
    )  # fmt: skip
    state = survey(8)
    steps = tuple(one.model_copy(update={"state": StepState.FAILED}) if one.id == "2.2" else one for one in state.steps)
    sentence = "FAILED 2.2 (23503). Steps 0 to 2.1 are committed; 2.2 left nothing behind"
    return state.model_copy(update={"failure": failure, "steps": steps, "sentence": sentence})


CONFLICT = ConflictView(
    step="2.1",
    words="table clones_rag",
    found=(
        "id bigint GENERATED ALWAYS AS IDENTITY NOT NULL\nhost text NOT NULL\n"
        "CONSTRAINT clones_rag_pkey PRIMARY KEY (id)"
    ),
    expected=(
        "id uuid DEFAULT gen_random_uuid() NOT NULL\nname text NOT NULL\ncreated_at timestamp with time zone\n"
        "CONSTRAINT clones_rag_pkey PRIMARY KEY (id)"
    ),
)


def conflict_survey(*conflicts: ConflictView) -> Survey:
    """Steps up to 1.6 stand; something else of the names of 2.1 is there, and all of 2.2 is."""
    state, found = survey(7), conflicts or (CONFLICT,)
    there = tuple(ObjectView(words=f"column knowledge.rag_{number}", origin="adopted") for number in range(4))
    nothing = (PartView(title="adopted: everything is there already", state=StepState.TODO),)
    steps = tuple(
        one.model_copy(
            update={"state": StepState.CONFLICT, "conflicts": found} if one.id == "2.1"
            else {"objects": there, "parts": nothing} if one.id == "2.2" else {}
        )
        for one in state.steps
    )  # fmt: skip
    sentence = "CONFLICT in 2.1: 1 object differs. Steps 0 to 1.6 are committed"
    return state.model_copy(update={"steps": steps, "sentence": sentence})


def resumable_survey() -> Survey:
    """Somebody else got as far as 2.1."""
    session = LastSession(operator="dba@desk", host="desk", started_at=NOON, ended_at=NOON, wizard_version="0.1.0")
    return survey(8).model_copy(update={"last_session": session})


VERIFIED = Verification(
    checks=(
        CheckResult(step="V", id="tables", title="six tables", rows=(Judgement(subject="t", expected="1", found="1"),)),
    ),
    criteria=tuple(
        CriterionResult(
            title=f"Criterion {number}",
            state="open" if number == 6 else "passed",
            checks=("V.tables",),
            step="5" if number == 6 else "",
        )
        for number in range(1, 10)
    ),
    next_steps=("Proceed to Phase 2",),
)


PARTS = (
    ("add 5 columns", StepState.DONE, 0.02), ("check, NOT VALID", StepState.DONE, 0.01),
    ("validate check", StepState.DONE, 1.84), ("idx_clones_rag_status", StepState.TODO, None),
    ("idx_clones_rag_enabled", StepState.TODO, None),
)  # fmt: skip
COMMITTED = StandingSteps(whole="0 to 1.6", several=True)

CATEGORIES = PreviewTable(
    id="6.2.categories", title="Categories of the clones, and where each goes",
    columns=("category", "clones", "goes to", "note"),
    rows=(
        ("'business'", "412,007", "business-strategy", ""), ("'medical'", "301,118", "health-wellness", ""),
        ("' Medical '", "1,204", "other", "looks like medical"),
        (f"'{HOSTILE}'", "12", "other", ""), ("NULL", "7", "other", "no category"),
    ),
)  # fmt: skip


def online_survey(many: int = 0) -> Survey:
    """Steps up to 1.6 stand, 2.1 is partly done, 6.2 is a backfill; all are online. `many` parts more in 2.1."""
    state = survey(7)
    more = tuple((f"idx_clones_more_{number}", StepState.TODO, None) for number in range(many))
    parts = tuple(
        PartView(
            title=title, state=done, seconds=seconds, statements=(StatementView(sql=SQL),),
            locks=(Lock(mode="ACCESS EXCLUSIVE", table="clones", existing=True, note="at most 1 s of waiting"),),
        )
        for title, done, seconds in (*PARTS, *more)
    )  # fmt: skip
    mapping = (
        PartView(title="map_clone_category_to_domain()", state=StepState.TODO, statements=(StatementView(sql=SQL),)),
        PartView(
            title="map every clone", state=StepState.TODO, in_batches=True,
            statements=(StatementView(sql="UPDATE clones SET rag_domain_mapping = ... WHERE id > $1 LIMIT $2"),),
            parameters=(Parameter(name="$1", what="last key of the batch before"), Parameter(name="$2", what="rows")),
        ),
    )  # fmt: skip
    strategy = "online: table has ~1,000,000 rows"
    changes: dict[str, dict[str, Any]] = {
        "2.1": {"state": StepState.PARTLY, "parts": parts, "strategy": strategy, "title": "Add RAG columns to clones"},
        "6.2": {
            "locks": (Lock(mode="ROW EXCLUSIVE", table="clones", existing=True),),
            "parts": mapping, "strategy": strategy, "previews": (("6.2.categories", CATEGORIES.title),),
            "title": "Map clone categories to RAG domains",
        },
    }  # fmt: skip
    steps = tuple(one.model_copy(update=changes.get(one.id, {})) for one in state.steps)
    return state.model_copy(update={"steps": steps})


def begun(step_id: str, part: int, parts: int, title: str) -> tuple[Event, ...]:
    """What is told until this part of a step is under way."""
    return (
        StepStarted(
            step=step_id, title=title, first=1, parts=parts, doing=f"RUNNING {step_id}", committed=COMMITTED, at=NOON
        ),
        PartStarted(step=step_id, part=part, parts=parts, title=title, sql=SQL, at=NOON),
    )


def filled(batches: int, second: float = 0.0, **changes: Any) -> BackfillProgressed:
    """A backfill of a million clones after so many batches of 5,000 rows."""
    fields: dict[str, Any] = {
        "step": "6.2", "part": 2, "parts": 2, "table": "clones", "phase": "filling", "batches": batches,
        "rows": batches * 5000, "total": 1_000_000, "rows_per_s": 57_140.0, "eta_s": 10.3, "batch_rows": 5000,
        "delay_s": None, "at": NOON + timedelta(seconds=second),
    }  # fmt: skip
    return BackfillProgressed(**(fields | changes))


class FakeEngine:
    """Answers from a script and remembers what it was asked; nothing it says touches a database."""

    def __init__(self, state: Survey, script: Sequence[Event] = ()) -> None:
        self.state = state
        self.script = script
        self.asked: list[str] = []
        self.settings = Settings()
        self.resting = False
        self.tell: Listener = lambda _event: None
        self.pace: tuple[int, float | None] = (5000, None)
        self._over = threading.Event()

    def run(self, **_: Any) -> Outcome:
        """Tell everything of the script at once, then be at work until it is stopped."""
        for event in self.script:
            self.tell(event)
        self._over.wait(30)
        return Outcome(ending="stopped", sentence=self.state.sentence)

    def set_batch_rows(self, rows: int) -> None:
        self.pace = (rows, self.pace[1])

    @property
    def delay_s(self) -> float | None:
        return self.pace[1]

    def set_delay(self, seconds: float | None) -> None:
        self.pace = (self.pace[0], seconds)

    def steer_anew(self) -> None:
        self.resting = False

    def pause(self) -> None:
        self.resting = True

    def go_on(self) -> None:
        self.resting = False

    def preview(self, step_id: str) -> tuple[PreviewTable, ...]:
        self.asked.append(f"preview {step_id}")
        return (CATEGORIES,)

    def survey(self) -> Survey:
        return self.state

    def statements(self) -> tuple[LoggedStatement, ...]:
        return tuple(
            LoggedStatement(
                session="s", operator="dba@desk", step=one.id, part=1, direction="deploy", ordinal=1, sql=SQL,
                outcome="committed", started_at=NOON, duration_ms=20.0, xid="8812",
            )
            for one in self.state.steps
            if one.state is StepState.DONE
        )  # fmt: skip

    def verify(self) -> Verification:
        return VERIFIED

    def dry_run(self) -> DryRun:
        left = tuple(one for one in self.state.steps if not one.state.is_complete and one.kind is StepKind.SQL)
        return DryRun(
            prerequisites=(), would_run=left, cannot_tell=("locks",), exit_code=0, sentence="DRY RUN, 12 steps"
        )

    def stop(self) -> None:
        self.asked.append("stop")
        self._over.set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def asked(*_args: Any, **_options: Any) -> None:
            self.asked.append(name)

        return asked


class FakeDesk(Desk):
    """A desk with the scripted engine on it."""

    def __init__(self, engine: FakeEngine, *, production: bool) -> None:
        super().__init__(lambda _event: None)
        self.fake = engine
        self._production = production

    def open(self, launch: Launch, tell: Callable[[Target, str], object]) -> None:  # noqa: ARG002
        tell(target(production=self._production), "rag-wizard --dsn postgresql://postgres@db.abcd.supabase.co/postgres")
        self.engine = self.fake  # type: ignore[assignment]

    def read(self, *, with_statements: bool) -> tuple[Snapshot, Trouble | None]:
        return Snapshot(self.fake.survey(), self.fake.statements() if with_statements else ()), None


def target(*, production: bool) -> Target:
    """A target on Supabase."""
    return Target(
        conninfo=SecretStr("host=db.abcd.supabase.co password=s3cret"), name="acme-prod", host="db.abcd.supabase.co",
        port=5432, dbname="postgres", user="postgres", source="--dsn", env="production" if production else "staging",
        production=production, local=False,
    )  # fmt: skip


def fake_app(state: Survey, *, production: bool = True, script: Sequence[Event] = (), **launch: Any) -> WizardApp:
    """The real app on a scripted engine, its clock standing still."""
    app = WizardApp(replace(Launch(operator="dba@desk"), **launch), clock=lambda: NOON)
    engine = FakeEngine(state, script)
    engine.tell = listener_for(app)
    app.desk = FakeDesk(engine, production=production)
    return app
