"""A target typed on the screen: a mistake is corrected on the same card, and no password is ever drawn again."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from textual.widgets import Input

from tests.support.database import Database
from tests.ui.conftest import SIZES, WIDE, Walk, walking
from wizard.launch import Launch
from wizard.ui.app import WizardApp
from wizard.ui.page import Page
from wizard.ui.screens.connect import Connect
from wizard.ui.target_text import holds_secret, may_hold_secret, typed_before

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR", "DATABASE_URL", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)


def field(walk: Walk, name: str) -> Input:
    return walk.app.screen.query_one(f"#target-{name}", Input)


@SIZES
async def test_a_typing_mistake_is_corrected_where_it_was_made(database: Database, size: tuple[int, int]) -> None:
    right = database.url()
    wrong = right.replace("postgresql://", "postgrsql://")
    async with walking(WizardApp(Launch(target_name="acme-test")), size) as walk:
        assert isinstance(walk.app.screen, Connect)
        await walk.press("enter")
        field(walk, "input").value = wrong
        await walk.press("enter", *([] if may_hold_secret(wrong) else ["enter"]))
        assert "begins with postgrsql://" in walk.page
        assert "r correct the target, or try it again" in walk.page
        await walk.press("r")
        assert isinstance(walk.app.screen, Connect), walk.text
        assert field(walk, "input").value.startswith("postgrsql://")
        assert "begins with postgrsql://" in walk.text
        assert "esc  close" in walk.text, "the keys are in sight"
        field(walk, "input").value = right
        await walk.press("enter", *([] if may_hold_secret(right) else ["enter"]))
        assert walk.board.page is Page.NONE, walk.text
        assert walk.state_line.startswith("READY")


async def test_a_url_without_a_password_asks_for_it_and_shows_it_nowhere() -> None:
    async with walking(WizardApp(Launch()), WIDE) as walk:
        await walk.press("enter")
        await walk.type("postgresql://ada@127.0.0.1:1/app")
        assert "postgresql://ada@127.0.0.1:1/app" in walk.text, "there is nothing to hide in it"
        await walk.press("enter")
        assert walk.app.focused is field(walk, "password")
        await walk.type(SECRET)
        assert SECRET not in walk.text
        await walk.press("enter")
        assert walk.board.launch.password == SecretStr(SECRET)
        assert walk.board.page is Page.TROUBLE, "nobody listens there"

        await walk.press("r")
        assert field(walk, "input").value == "postgresql://ada@127.0.0.1:1/app"
        assert not field(walk, "password").value
        await walk.press("enter")
        assert walk.board.launch.password == SecretStr(SECRET), "unchanged: the same once more"
        await walk.press("r")
        field(walk, "input").value = "postgresql://ada@127.0.0.1:2/app"
        await walk.press("enter", "enter")
        assert walk.board.launch.password is None, "another server does not get it"
        assert SECRET not in walk.text


async def test_a_password_in_the_url_is_hidden_before_its_first_sign() -> None:
    async with walking(WizardApp(Launch()), WIDE) as walk:
        await walk.press("enter")
        await walk.type("postgresql://ada")
        assert "postgresql://ada" in walk.text
        for sign in f":{SECRET}@127.0.0.1:1/app":
            await walk.type(sign)
            assert "postgresql" not in walk.text
        await walk.press("enter", "r")
        assert field(walk, "input").value == "postgresql://ada@127.0.0.1:1/app"
        assert SECRET not in walk.text


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("service=acme", ("service", "acme")),
        (f"postgresql://ada:{SECRET}@db/app?sslmode=require", ("url", "postgresql://ada@db/app?sslmode=require")),
        (f"postgrsql://ada:{SECRET}@x@db/app", ("url", "postgrsql://ada@db/app")),
        ("postgrsql://db:5432/app", ("url", "postgrsql://db:5432/app")),
        ("postgresql://db:5432/app", ("url", "postgresql://db:5432/app")),
        (f"postgrsql://ada:{SECRET}", ("url", "")),
        (f"host=db user=ada password={SECRET}", ("url", "user=ada host=db")),
        (f"host=db usr=ada password='{SECRET} {SECRET}", ("url", "")),
        (f"postgrsql://ada@db/app?password={SECRET}", ("url", "")),
        (f"postgresql://ada@srv:{SECRET}@db/app", ("url", "")),
        (f"ada:{SECRET}@db:5432/app", ("url", "")),
        ("db:5432/app", ("url", "db:5432/app")),
    ],
)
def test_what_was_typed_is_shown_again_without_a_password(dsn: str, shown: tuple[str, str]) -> None:
    assert typed_before(Launch(dsn=dsn)) == shown


async def test_a_port_is_in_sight_when_the_target_is_corrected_and_a_password_is_not() -> None:
    async with walking(WizardApp(Launch(dsn="postgresql://localhost:1/app")), WIDE) as walk:
        walk.app.push_screen(Connect(walk.board.launch, "nobody listens there"))
        await walk.settle()
        assert "postgresql://localhost:1/app" in walk.text
        await walk.press("end")
        await walk.type("2")
        assert "postgresql://localhost:1/app2" in walk.text, "while it is corrected too"
        field(walk, "input").value = "postgresql://localhost:1@db/app"
        await walk.settle()
        assert field(walk, "input").password
        field(walk, "input").value = "postgresql://ada:1"
        await walk.settle()
        assert field(walk, "input").password, "these may be a password's first digits"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("postgresql://localhost:5432/app", False),
        ("postgresql://ada@localhost:5432/app", False),
        ("postgresql://ada:5432@localhost/app", True),
        ("postgresql://ada:5432/x@localhost/app", True),
        ("postgresql://localhost:5432/app?password=x", True),
        ("postgresql://ada@srv:x", True),
        ("postgresql://ada@srv:5432@db/app", True),
        ("postgresql://ada@db1:5432,db2:5433/app", False),
        ("postgresql://ada@[::1]:5432/app", False),
        ("ada:x", True),
        ("ada@srv:x@db", True),
        ("localhost:5432/app", False),
        ("postgresql:", False),
        ("host=::1 user=ada", False),
    ],
)
def test_a_port_is_no_password(text: str, held: bool) -> None:
    assert holds_secret(text) is held


@SIZES
async def test_however_long_the_fault_is_the_keys_are_in_sight(size: tuple[int, int]) -> None:
    fault = " ".join(["it has no end that could be read here"] * 8)
    async with walking(WizardApp(Launch(dsn="postgresql://localhost:1/app")), size) as walk:
        walk.app.push_screen(Connect(walk.board.launch, fault))
        await walk.settle()
        field(walk, "input").value = ""
        await walk.press("enter")
        assert "Nothing was typed." in walk.text
        assert "  quit  " in walk.text, walk.text
