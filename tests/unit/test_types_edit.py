"""Editing a types file in every style: in, nothing the second time, out again; and what differs is replaced."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.typescript import GENERATED, STYLES
from wizard.typescript.collation import order
from wizard.typescript.edit import edit
from wizard.typescript.entries import Property, Relationship, Signature, TableEntry, Target, Wanted
from wizard.typescript.origins import shown_columns
from wizard.typescript.rules import properties
from wizard.typescript.syntax import NotATypesFileError
from wizard.typescript.takeback import take_back

KEY = Relationship("tags_clone_id_fkey", ("clone_id",), False, "clones", ("id",))
ADDED = properties(
    {"name": "tag", "format": "text", "type_schema": "pg_catalog", "nullable": True, "identity": False,
     "always": False, "has_default": False},
    lambda *_: "string",
)  # fmt: skip
WANTED = Wanted(
    ("tags", "zoo"), {"clones": ("tag",), "knowledge": ("tag",)}, {"knowledge": ("knowledge_tag_fkey",)}, ("f",)
)
ENTRY = TableEntry(
    {"Row": (Property("id", "string"),), "Insert": (Property("id", "string", True),), "Update": ()}, (KEY,)
)
TARGET = Target(
    {"tags": ENTRY, "zoo": TableEntry({"Row": (), "Insert": (), "Update": ()}, ())},
    {"clones": {"tag": ADDED}, "knowledge": {"tag": ADDED}},
    {"knowledge": (Relationship("knowledge_tag_fkey", ("tag",), False, "tags", ("id",)),)},
    {"f": (Signature((Property("a", "string"), Property("b", "number", True)), "string"),)},
)
NOTHING = Target({}, {}, {}, {})


def styled(style: str) -> bytes:
    """The generator's output as that style writes it."""
    return STYLES[style](GENERATED).encode()


@pytest.mark.parametrize("style", STYLES)
def test_in_once_and_out_again_leaves_every_byte(style: str) -> None:
    before = styled(style)

    after, changes = edit(before, "public", WANTED, TARGET)
    again, more = edit(after, "public", WANTED, TARGET)
    out, removed = edit(after, "public", WANTED, NOTHING)
    back, _ = take_back(after, before, "public", WANTED)

    assert sorted(changes.added) == [
        "clones.tag", "f()", "knowledge.tag", "knowledge: knowledge_tag_fkey", "tags", "zoo",
    ]  # fmt: skip
    assert (again, more.added, more.replaced, more.removed) == (after, [], [], [])
    assert out == before == back
    assert sorted(removed.removed) == sorted(changes.added)


def test_what_differs_is_named_and_replaced_and_what_only_looks_different_is_not() -> None:
    file, _ = edit(styled("generator of 2026"), "public", WANTED, TARGET)
    other_look = file.replace(b"tag: string | null", b"tag: null | string").replace(
        b"tag?: string | null", b"'tag'?:\n  | string\n  | null"
    )
    other = file.replace(b"tag: string | null", b"tag: string").replace(b"b?: number", b"b?: string")

    assert edit(other_look, "public", WANTED, TARGET)[0] == other_look
    after, changes = edit(other, "public", WANTED, TARGET)

    assert changes.replaced == ["clones.tag", "knowledge.tag", "f()"]
    assert after == file


def test_members_on_one_line_stay_there() -> None:
    file = (
        b"export type Json = string\nexport type Database = { public: { Tables: { clones: { "
        b"Row: { id: string; z: string }; Insert: { id: string }; Update: {}; Relationships: [] } }; "
        b"Functions: { [_ in never]: never } } }\n"
    )
    wanted = Wanted((), {"clones": ("tag",)}, {}, ())

    after, _ = edit(file, "public", wanted, Target({}, {"clones": {"tag": ADDED}}, {}, {}))

    assert b"Row: { id: string; tag: string | null; z: string }" in after
    assert b"Insert: { id: string; tag?: string | null }" in after
    assert edit(after, "public", wanted, Target({}, {"clones": {"tag": ADDED}}, {}, {}))[0] == after


def test_a_schema_without_functions_gets_the_block_and_a_file_without_json_is_refused() -> None:
    file = b"export type Database = {\n  public: {\n    Tables: {\n      a: { Row: {} }\n    }\n  }\n}\n"
    function = Wanted(functions=("f",))
    after, _ = edit(file, "public", function, Target({}, {}, {}, {"f": TARGET.functions["f"]}))
    assert b"    Functions: {\n      f: {" in after

    entry = TableEntry({"Row": (Property("j", "Json | null"),), "Insert": (), "Update": ()}, ())
    with pytest.raises(NotATypesFileError, match="the type Json"):
        edit(file, "public", Wanted(("t",)), Target({"t": entry}, {}, {}, {}))


def test_a_comment_above_a_table_stays_above_it() -> None:
    after, _ = edit(styled("edited by hand"), "public", Wanted(("k",)), Target({"k": ENTRY}, {}, {}, {}))

    assert b"// what clones know; reviewed by us\n      knowledge: {" in after


@pytest.mark.parametrize("before", [b"/* of many\n */ updated_at", b"/** of one */ updated_at"])
def test_a_comment_that_ends_on_the_line_of_a_member_takes_no_other_member_in(before: bytes) -> None:
    file = styled("generator of 2026").replace(b"updated_at", before)

    after, _ = edit(file, "public", WANTED, TARGET)

    assert edit(after, "public", WANTED, TARGET)[0] == after
    assert edit(after, "public", WANTED, NOTHING)[0] == file


def test_a_view_shows_what_its_tree_says_whatever_its_columns_are_called() -> None:
    tree = (
        r"({QUERY :commandType 1 :targetList ({TARGETENTRY :expr {VAR :varno 1} :resno 1 :resname a\ \{\}\ :resno\ 7 "
        r":ressortgroupref 0 :resorigtbl 16400 :resorigcol 3 :resjunk false} "
        r"{TARGETENTRY :expr {FUNC} :resno 2 :resname <> :resorigtbl 0 :resorigcol 0 :resjunk false}) "
        r":rteperminfos ({RTE :subquery {QUERY :targetList "
        r"({TARGETENTRY :expr {VAR} :resno 9 :resname b :resorigtbl 16401 :resorigcol 1 :resjunk false})}})})"
    )
    assert shown_columns(tree) == {1: (16400, 3)}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no node here; run tests/support/matrix.sh typescript first")
@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(alphabet="aAbBzZ019_-$ .éÉöñ", min_size=1, max_size=6), min_size=2, max_size=30, unique=True))
def test_names_are_ordered_as_the_generator_orders_them(names: list[str]) -> None:
    script = "process.stdout.write(JSON.stringify(JSON.parse(process.argv[1]).sort(new Intl.Collator('en').compare)))"
    done = subprocess.run(["node", "-e", script, json.dumps(names)], capture_output=True, text=True, check=True)

    assert sorted(names, key=order) == json.loads(done.stdout)
