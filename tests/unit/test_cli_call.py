"""Options before and after a command, their values, and what the parser says about mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wizard import __version__
from wizard.cli import run_command
from wizard.console import reading
from wizard.console.call import Call, parse_batch_delay, parse_decisions, parse_lock_timeout
from wizard.console.program import run_program
from wizard.errors import ExitCode, UsageError
from wizard.open import command_of, settings_from
from wizard.screen import show_screen


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls that `status` was given, instead of running it."""
    calls: list[Call] = []

    def status(call: Call, *, exit_code: bool) -> int:
        calls.append(call)
        return ExitCode.FAILED if exit_code else ExitCode.DONE

    monkeypatch.setattr(reading, "status", status)
    return calls


@pytest.mark.parametrize(
    "arguments",
    [
        ["--demo", "--rows", "7", "--json", "status"],
        ["status", "--demo", "--rows", "7", "--json"],
        ["--demo", "--json", "status", "--rows", "7"],
        ["--rows", "1", "--demo", "status", "--rows", "7", "--json"],
    ],
)
def test_common_options_are_the_same_before_and_after_the_command(arguments: list[str], seen: list[Call]) -> None:
    assert main(arguments) == ExitCode.DONE
    assert (seen[0].launch.demo, seen[0].launch.rows, seen[0].json, seen[0].yes) == (True, 7, True, False)


def main(arguments: list[str]) -> int:
    """The program in this process."""
    return run_program(arguments, show_screen, run_command)


def test_decisions_from_both_places_are_joined_and_the_later_wins(seen: list[Call]) -> None:
    main(["--decide", "a=1", "--decide", "b=2", "status", "--decide", "a=3"])

    assert seen[0].launch.decisions == {"a": "3", "b": "2"}


def test_the_exit_code_of_a_command_is_that_of_the_program(seen: list[Call]) -> None:
    assert main(["status", "--exit-code"]) == ExitCode.FAILED


def test_defaults(seen: list[Call]) -> None:
    main(["status"])

    launch = seen[0].launch
    assert (launch.schema, launch.strategy, launch.lock_timeout_ms, launch.dsn) == ("public", "auto", 700, None)
    assert "@" in launch.operator


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("700ms", 700), ("2s", 2000), ("1.5s", 1500), ("50", 50), ("1min", 60000)]
)
def test_lock_timeout_in_words(text: str, milliseconds: int) -> None:
    assert parse_lock_timeout(text) == milliseconds


@pytest.mark.parametrize("text", ["0", "-1s", "soon", "", "2h", "11min"])
def test_a_lock_timeout_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        parse_lock_timeout(text)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("100ms", 0.1), ("250", 0.25), ("1.5s", 1.5), ("1min", 60)])
def test_batch_delay_in_words(text: str, seconds: float) -> None:
    assert parse_batch_delay(text) == seconds


@pytest.mark.parametrize("text", ["-1s", "soon", "", "61s", "2min"])
def test_a_batch_delay_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        parse_batch_delay(text)


def test_pace_and_strategy_reach_the_engine_and_the_command_to_paste(seen: list[Call]) -> None:
    main(["--demo", "--batch-rows", "2000", "status", "--batch-delay", "0.1s", "--strategy", "online"])

    launch = seen[0].launch
    settings = settings_from(launch)
    assert (settings.strategy, settings.batch_rows, settings.batch_delay_s) == ("online", 2000, 0.1)
    assert command_of(launch) == "rag-wizard --demo --strategy online --batch-rows 2000 --batch-delay 100ms"


@pytest.mark.parametrize("pair", ["a", "=b", "a=", ""])
def test_a_decision_is_name_and_value(pair: str) -> None:
    with pytest.raises(UsageError, match="not NAME=VALUE"):
        parse_decisions([pair])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["statsu"], "Did you mean 'status'"),
        (["typos"], "No such command 'typos'"),
        (["status", "--colour"], "No such option: --colour"),
        (["status", "--strategy", "fast"], "'fast' is not one of 'auto', 'atomic', 'online'"),
        (["status", "--batch-rows", "0"], "--batch-rows 0 is not from 100 to 50,000"),
        (["status", "--batch-rows", "many"], "--batch-rows"),
        (["status", "--batch-delay", "soon"], "--batch-delay 'soon' is not a time from 0 to 60s"),
        (["status", "--rows", "many"], "--rows"),
        (["status", "extra"], "extra"),
        (["run", "--archive", "x"], "No such option: --archive"),
        (["status", "--rows", "-1"], "--rows -1 is negative"),
        (["--json"], "--json needs a command"),
    ],
)
def test_a_mistake_on_the_command_line_is_exit_2_with_words(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == ExitCode.USAGE
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.startswith("rag-wizard: ")
    assert "Traceback" not in told.err
    assert told.out == "" or "--json" in arguments


@pytest.mark.parametrize(
    "address", ["postgresql://ada:hush-hush@db.example/app", "host=db user=ada password=hush-hush"]
)
@pytest.mark.parametrize("before", [[], ["check"], ["--json", "check"], ["run", "--batch-rows"]], ids=" ".join)
def test_an_address_in_the_wrong_place_is_not_repeated(
    before: list[str], address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*before, address]) == ExitCode.USAGE

    told = "".join(capsys.readouterr())
    assert "hush" not in told
    assert ("Name it with --dsn" in told) == (before[0:1] != ["run"])


def test_with_json_a_mistake_is_an_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--colour"]) == ExitCode.USAGE

    error = json.loads(capsys.readouterr().out)
    assert error["schema_version"] == 1
    assert error["error"]["exit_code"] == ExitCode.USAGE
    assert "--colour" in error["error"]["what"]


def test_version_and_help_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == ExitCode.DONE
    assert capsys.readouterr().out == f"rag-wizard {__version__}\n"
    assert main(["--help"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    for command in ("check", "plan", "run", "status", "verify", "rollback", "restore", "forget", "log", "types"):
        assert f"  {command} " in shown
    assert "--batch-rows" in shown


def test_a_fault_in_the_program_is_one_line_and_a_report_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "hush-hush"

    def status(call: Call, *, exit_code: bool) -> int:
        raise ZeroDivisionError(f"while reading {call.launch.dsn}")

    monkeypatch.setattr(reading, "status", status)
    dsn = f"postgresql://ada:{secret}@db.example.org/app"

    assert main(["status", "--dsn", dsn, "--state-dir", str(tmp_path)]) == ExitCode.FAILED

    told = capsys.readouterr().err
    [report] = (tmp_path / "crashes").iterdir()
    assert str(report) in told
    assert "ZeroDivisionError" in told
    assert "Traceback" not in told
    assert "ZeroDivisionError" in report.read_text()
    assert secret not in report.read_text() + told
    assert report.stat().st_mode & 0o077 == 0


def test_ctrl_c_is_130_with_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def status(call: Call, *, exit_code: bool) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "status", status)

    assert main(["status"]) == ExitCode.INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err


def test_the_command_to_paste_leads_to_the_same_target_without_the_password(seen: list[Call], tmp_path: Path) -> None:
    main(
        [
            *("--dsn", "postgresql://ada:geheim@db.example.org/app", "--schema", "s p", "--state-dir", str(tmp_path)),
            *("--decide", "a=b", "status"),
        ]
    )

    assert command_of(seen[0].launch) == (
        f"rag-wizard --dsn postgresql://ada@db.example.org/app --schema 's p' --state-dir {tmp_path} --decide a=b"
    )
