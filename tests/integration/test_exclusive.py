"""One operator at a time; a session whose process died is told from one that lives, and never ended without a word."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from pydantic import SecretStr

from tests.support.abandoned import dead_pid, held
from tests.support.blocking import end_the_wizard, eventually
from tests.support.database import Database
from tests.support.engine import Operator
from tests.support.proxy import Fault, proxy_to, url_through
from wizard.engine.events import Event, Noticed, PartCommitted, PartStarted
from wizard.engine.session import exclusive
from wizard.engine.session.exclusive import find_holder, lock_key
from wizard.engine.session.heartbeat import Heartbeat
from wizard.engine.settings import Settings
from wizard.errors import ConnectionUnsuitableError, OtherOperatorError


@pytest.fixture(name="dead_pid")
def a_dead_pid() -> int:
    """A process id that was alive and is not any more."""
    return dead_pid()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wizard waits for the server to notice a death for 0.5 s instead of 12 s."""
    monkeypatch.setattr(exclusive, "DEAD_PATIENCE_S", 0.5)


def test_a_living_session_is_named_at_once(database: Database) -> None:
    with (
        held(database, os_pid=1, host="elsewhere") as pid,
        pytest.raises(OtherOperatorError, match=rf"another operator .* grace@elsewhere, pid {pid}, since"),
    ):
        Operator(database, end_orphan=True).engine.run()


@pytest.mark.usefixtures("hurried")
def test_a_session_whose_process_is_gone_is_shown_and_left_alone(database: Database, dead_pid: int) -> None:
    operator = Operator(database)
    with held(database, os_pid=dead_pid, age="11 s") as pid:
        with pytest.raises(OtherOperatorError, match=rf"abandoned session .* grace@elsewhere, pid {pid}") as refused:
            operator.engine.run()
        assert database.value("select count(*) from pg_stat_activity where pid = %s", [pid]) == 1

    assert "--end-orphan" in refused.value.fix
    assert "waiting for a session that may be gone" in operator.told(Noticed)[0].text


@pytest.mark.usefixtures("hurried")
def test_with_the_operators_word_it_is_ended_and_the_run_goes_on(database: Database, dead_pid: int) -> None:
    operator = Operator(database, end_orphan=True)
    with pytest.raises(psycopg.OperationalError), held(database, os_pid=dead_pid, age="11 s"):  # noqa: SIM117
        with psycopg.connect(database.conninfo()):
            assert operator.engine.run().ending == "done"
            raise psycopg.OperationalError

    assert "ending the abandoned session of grace@elsewhere" in operator.told(Noticed)[0].text


def test_a_dry_run_of_forget_foresees_that_the_orphan_will_be_ended(database: Database, dead_pid: int) -> None:
    Operator(database).engine.run(last="0")
    with held(database, os_pid=dead_pid, age="11 s"):
        refused = Operator(database).engine.refused_forget()
        foreseen = Operator(database, end_orphan=True).engine.refused_forget()
    assert isinstance(refused, OtherOperatorError)
    assert foreseen is None


@pytest.mark.usefixtures("hurried")
def test_while_it_beats_it_is_no_orphan_though_its_process_is_not_here(database: Database, dead_pid: int) -> None:
    """Two containers may have the same host name, and each process ids of its own."""
    with held(database, os_pid=dead_pid) as pid:
        with pytest.raises(OtherOperatorError, match="another operator is rolling out"):
            Operator(database, end_orphan=True).engine.run()
        assert database.value("select count(*) from pg_stat_activity where pid = %s", [pid]) == 1


@pytest.mark.usefixtures("hurried")
def test_the_operators_word_is_for_one_operation(database: Database, dead_pid: int) -> None:
    operator = Operator(database, end_orphan=True)
    assert operator.engine.run(last="1.1").ending == "done"

    with held(database, os_pid=dead_pid, age="11 s"), pytest.raises(OtherOperatorError, match="abandoned session"):
        operator.engine.run()


@pytest.mark.usefixtures("hurried")
def test_on_another_machine_only_a_heartbeat_older_than_30_s_makes_an_orphan(database: Database, dead_pid: int) -> None:
    with (
        held(database, os_pid=dead_pid, host="elsewhere", age="20 s"),
        pytest.raises(OtherOperatorError, match="another operator"),
    ):
        Operator(database, end_orphan=True).engine.run()


@pytest.mark.usefixtures("hurried")
def test_a_silent_session_on_another_machine_is_an_orphan_after_30_s(database: Database, dead_pid: int) -> None:
    with (
        held(database, os_pid=dead_pid, host="elsewhere", age="31 s"),
        pytest.raises(OtherOperatorError, match="its last sign of life is 3"),
    ):
        Operator(database).engine.run()


def test_the_lock_of_a_session_that_is_just_ending_is_waited_for(database: Database, dead_pid: int) -> None:
    operator = Operator(database)
    with held(database, os_pid=dead_pid) as pid:

        def end(event: Event) -> None:
            if isinstance(event, Noticed):
                database.execute("select pg_terminate_backend(%s)", [pid], user="supabase_admin")

        operator.listen(end)
        assert operator.engine.run().ending == "done"


def test_a_heartbeat_keeps_the_session_fresh_and_ends_with_it(database: Database) -> None:
    operator = Operator(database)
    operator.engine.run(last="1.1")
    session = database.value("select session_id::text from rag_wizard.session")
    before = database.value("select heartbeat_at from rag_wizard.session")
    heartbeat = Heartbeat(database.target(), Settings(), session, beat_s=0.05)

    heartbeat.start()
    later = "select heartbeat_at > %s from rag_wizard.session"
    eventually(lambda: database.value(later, [before]), "it beats")
    heartbeat.stop()

    beating = "select count(*) from pg_stat_activity where application_name = 'rag-wizard heartbeat'"
    eventually(lambda: not database.value(f"{beating} and datname = current_database()"), "its connection ends")


def test_two_runs_at_once_never_both(database: Database) -> None:
    """The first is held inside a part by a blocker; meanwhile a second one is refused, again and again."""
    first, refused = Operator(database), []

    def second(event: Event) -> None:
        if isinstance(event, PartStarted):
            with pytest.raises(OtherOperatorError) as other:
                Operator(database).engine.run()
            refused.append(str(other.value))

    first.listen(second)
    assert first.engine.run(last="1.3").ending == "done"

    assert len(refused) == 3
    assert all("ada@workstation, pid" in words for words in refused)


def test_the_lock_is_held_per_schema(database: Database) -> None:
    with psycopg.connect(database.conninfo(), autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s, %s)", lock_key("app2"))
        with psycopg.connect(database.conninfo(), autocommit=True, row_factory=psycopg.rows.dict_row) as other:
            assert find_holder(other, "public") is None
            assert find_holder(other, "app2") is not None
        assert Operator(database).engine.run(last="1.1").ending == "done"


def test_after_a_lost_connection_somebody_else_who_was_faster_is_told_with_what_is_committed(
    database: Database,
) -> None:
    operator = Operator(database)
    with psycopg.connect(database.conninfo(), autocommit=True) as other:

        def overtake(event: Event) -> None:
            if isinstance(event, PartCommitted) and event.step == "1.3":
                end_the_wizard(database)
                other.execute("select pg_advisory_lock(%s, %s)", lock_key("public"))

        operator.listen(overtake)
        with pytest.raises(OtherOperatorError, match=rf"another operator .* pid {other.info.backend_pid}") as refused:
            operator.engine.run()

    assert refused.value.why.startswith("Steps 0 to 1.3 are committed. What became of a part that was under way")
    assert "Nothing was changed" not in refused.value.why


def test_our_own_session_that_the_server_still_keeps_is_no_other_operator(database: Database) -> None:
    """The network drops without a word, and the operator does not want to wait for the server to notice."""
    operator = Operator(database)
    cut: list[str] = []

    def judge(_number: int, text: str) -> Fault:
        if "'1.2', 1, 'deploy'" in text and not cut:
            cut.append(text)
            return Fault.SILENCE
        return Fault.PASS

    def give_up(event: Event) -> None:
        if isinstance(event, Noticed) and event.text.startswith("waiting for a session that may be gone"):
            operator.engine.cancel()

    operator.listen(give_up)
    with proxy_to(lambda: database.target().port, judge, lambda: None) as proxy:
        target = replace(operator.engine.target, conninfo=SecretStr(url_through(proxy, database)))
        operator.engine.target = target
        with pytest.raises(ConnectionUnsuitableError, match="the server still keeps the session that it had with us"):
            operator.engine.run()
