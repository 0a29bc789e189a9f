"""The TypeScript compiler and Supabase's own type generator, from tests/support/matrix.sh, and files in many styles."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cluster import matrix_cache
from tests.support.database import Database
from wizard.demo import seed

NODE = matrix_cache() / "typescript"
SCRIPT = Path(__file__).parent / "generate_types.mjs"
GENERATED = (seed.FOLDER / "database.ts").read_text(encoding="utf-8")
"""What the generator prints for the CloneAI database before the rollout."""

needs_node = pytest.mark.skipif(
    not (NODE / "node_modules").exists(), reason="no TypeScript here; run tests/support/matrix.sh typescript first"
)

USAGE = """
import type { Database } from "./database"
type Table<Name extends keyof Database["public"]["Tables"]> = Database["public"]["Tables"][Name]
export const config: Table<"assistants">["Row"]["configuration"] = null
export const expert: Table<"experts">["Insert"] = { name: "n", domain: "other", context: "c" }
export const clone: Table<"clones">["Update"] = { rag_enabled: true, rag_config: { a: 1 }, name: "x" }
export const key: Table<"knowledge">["Row"]["rag_document_id"] = null
export const keys: Table<"clone_rag_mapping">["Relationships"][number]["foreignKeyName"] = "fk_mapping_domain"
export const domain: Database["public"]["Functions"]["map_clone_category_to_domain"]["Returns"] = "other"
// @ts-expect-error a required column is missing
export const wrong: Table<"experts">["Insert"] = { name: "n" }
"""
"""What an application does with the new entries."""


def generated(database: Database, schemas: str = "public") -> bytes:
    """What Supabase's generator prints for a database."""
    done = subprocess.run(["node", str(SCRIPT), str(NODE), database.url(), schemas], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def compiler_complaints(*files: Path) -> str:
    """What `tsc --strict --noEmit` says; empty when it has nothing to say."""
    tsc = NODE / "node_modules" / "typescript" / "bin" / "tsc"
    command = ["node", str(tsc), "--strict", "--noEmit", "--target", "es2022", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _separated(text: str, sign: str) -> str:
    """Members of Database with a separator, as prettier writes them with its defaults."""
    head, mark, body = text.partition("export type Database = {")
    return head + mark + re.sub(r"^(\s+(?!//|\|)[^\n]*[^\s{\[,(&<=?:])$", rf"\1{sign}", body, flags=re.MULTILINE)


def _database_only(text: str) -> str:
    """Without the helper types and constants: those of earlier years looked different."""
    return text[: text.index("type DatabaseWithoutInternals")]


def _plain(text: str) -> str:
    return re.sub(r"  // Allows.*?  public", "  public", _database_only(text), count=1, flags=re.DOTALL)


def _of_2023(text: str) -> str:
    """An interface, no isOneToOne, empty lists broken differently, Json as it was."""
    text = _plain(text).replace("export type Database = {", "export interface Database {")
    text = text.replace("NonNullable<Json>", "Json").replace(
        "{ [key: string]: Json | undefined }", "{ [key: string]: Json }"
    )
    return re.sub(r"\n\s+isOneToOne: \w+", "", text)


def _hand_made(text: str) -> str:
    """Comments, entries of one's own, an order of one's own, everything a little uneven."""
    text = text.replace("      knowledge: {", "      // what clones know; reviewed by us\n      knowledge: {", 1)
    text = text.replace("          bio: string | null\n", "          bio: string | null // about me\n\n", 1)
    text = text.replace("export type Json =", "/* eslint-disable */\n// generated, then edited\nexport type Json =", 1)
    return text + "\nexport type Clone = Tables<'clones'>\n"


STYLES: dict[str, Callable[[str], str]] = {
    "generator of 2026": lambda text: text,
    "generator of 2025, without internals": _plain,
    "generator of 2023, interface": _of_2023,
    "prettier, semicolons and single quotes": lambda text: _separated(
        re.sub(r'"([^"\n\']*)"', r"'\1'", _plain(text)), ";"
    ),
    "4 spaces": lambda text: re.sub(r"^( +)", lambda m: m[1] * 2, text, flags=re.MULTILINE),
    "tabs": lambda text: re.sub(r"^( +)", lambda m: "\t" * (len(m[1]) // 2), text, flags=re.MULTILINE),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "byte order mark": lambda text: "\ufeff" + text,
    "edited by hand": _hand_made,
    "commas": lambda text: _separated(_plain(text), ",").replace("]: never,", "]: never"),
}
"""Style -> how it looks, made from the generator's own output."""
