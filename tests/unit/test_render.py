"""Rendering: conditions, edits, digests; and the names that statements will use."""

from __future__ import annotations

from pathlib import Path

from wizard.rollout.load import load_rollout
from wizard.rollout.objects import Name, created_names
from wizard.rollout.render import Renderer, open_decisions, with_decisions
from wizard.rollout.statements import split_sql

TINY = Path(__file__).parent.parent / "rollouts" / "tiny"


def sql_of(renderer: Renderer, step: str) -> str:
    return "\n".join(s.sql for part in renderer.step(step).parts for s in part.statements)


def test_fragments_and_edits_follow_the_facts() -> None:
    rollout = load_rollout(TINY)
    plain = Renderer(rollout, {"legacy": "absent", "samples": "without"})
    other = Renderer(rollout, {"legacy": "present", "samples": "with", "legacy_rows": "copy"})

    assert "DEFAULT 3" in sql_of(plain, "priority")
    assert "DEFAULT 5" in sql_of(other, "priority")
    assert "INSERT" not in sql_of(plain, "tickets")
    assert sql_of(other, "tickets").count("INSERT") == 2
    assert [d.title for d in plain.step("priority").deviations] == []
    assert [d.title for d in other.step("priority").deviations] == ["default priority 5"]


def test_the_digest_covers_source_and_inputs_and_nothing_else() -> None:
    rollout = load_rollout(TINY)
    one = Renderer(rollout, {"legacy": "absent", "unrelated": "1"})
    same = Renderer(rollout, {"legacy": "absent", "unrelated": "2"})
    other = Renderer(rollout, {"legacy": "present"})

    assert one.step("priority").digest == same.step("priority").digest
    assert one.step("priority").digest != other.step("priority").digest


def test_decisions_apply_where_their_condition_holds() -> None:
    rollout = load_rollout(TINY)

    assert with_decisions(rollout, {"legacy": "absent"}, {}) == {"legacy": "absent", "samples": "without"}
    facts = with_decisions(rollout, {"legacy": "present"}, {"samples": "with"})
    assert facts["samples"] == "with"
    assert [d.name for d in open_decisions(rollout, facts)] == ["legacy_rows"]
    assert not open_decisions(rollout, with_decisions(rollout, facts, {"legacy_rows": "leave"}))


def test_triggers_are_held_only_where_that_is_allowed() -> None:
    rollout = load_rollout(TINY)
    for role, held in (("allowed", True), ("refused", False)):
        (part,) = Renderer(rollout, {"legacy": "absent", "replica_role": role}).step("priority").parts
        assert [group.hold_triggers for group in part.deploy] == [False, held]


def test_names_are_read_from_the_parse_tree_implicit_ones_included() -> None:
    names = created_names(
        split_sql(
            "create table a (id uuid primary key, n text unique, d text check (d <> ''), unique (n, d),"
            " constraint fk foreign key (d) references b (x));"
            "create index i on a (n);"
            "alter table clones add column x text default 'p' check (x in ('p')), add column y uuid references a (id);"
            "create function f(category text, n integer) returns text as 'x' language sql;"
            "create trigger t before update on clones for each row execute function f();"
            "create trigger u before update on a for each row execute function f();"
            'create policy "p p" on clones for select using (true);'
            'create function g(ids uuid[], k "Status", m app.kind, out n int) returns int as $$x$$ language sql;'
            "create function h(q text) returns table (n int) as 'x' language sql;"
            "create or replace view v as select 1;"
            "alter table clones rename column old to new;"
            "alter table clones drop constraint c, add constraint c check (true), add constraint d check (true)"
        )
    )

    assert names == (
        Name("relation", "a"),
        Name("relation", "a_pkey"),
        Name("chosen constraint", "a_pkey", "a"),
        Name("relation", "a_n_key"),
        Name("chosen constraint", "a_n_key", "a"),
        Name("chosen constraint", "a_d_check", "a"),
        Name("relation", "a_n_d_key"),
        Name("chosen constraint", "a_n_d_key", "a"),
        Name("relation", "i"),
        Name("column", "x", "clones"),
        Name("chosen constraint", "clones_x_check", "clones"),
        Name("column", "y", "clones"),
        Name("chosen constraint", "clones_y_fkey", "clones"),
        Name("function", "f", "text, int4"),
        Name("trigger", "t", "clones"),
        Name("policy", "p p", "clones"),
        Name("function", "g", 'uuid[], "Status", app.kind'),
        Name("function", "h", "text"),
        Name("relation", "v"),
        Name("column", "new", "clones"),
        Name("constraint", "d", "clones"),
    )
