"""What somebody else may build on the objects of a finished rollout, one kind each, and how it has to be told."""

from __future__ import annotations

from dataclasses import dataclass

OUTSIDER = """
do $$
begin
    create role analyst nologin;
exception
    when duplicate_object or unique_violation then null;
end
$$;
create schema reporting authorization analyst;
grant usage on schema public to analyst;
grant all on all tables in schema public to analyst;
grant analyst to postgres;
create table reporting.notes (id int primary key, document uuid, category text, updated_at timestamptz);
alter table reporting.notes owner to analyst;
"""
"""A role that is nobody's superuser, with a schema and a table of its own. Run by the superuser."""


@dataclass(frozen=True)
class Case:
    """Something that a role builds on the rolled out objects, and how it has to be told."""

    id: str
    made: str
    kind: str
    name: str
    on: str
    stops: bool = True
    by: str = "analyst"


FUNCTION = "function update_updated_at_column()"
MAPPING = "function map_clone_category_to_domain(text)"
IMMUTABLE = "alter function public.map_clone_category_to_domain immutable;"

CASES = (
    Case(
        "a view in another schema",
        "create view reporting.overview as select name, domain from public.rag_documents",
        *("view", "reporting.overview", "table rag_documents"),
    ),
    Case(
        "a materialized view on a new table and on new columns",
        "create materialized view reporting.status as select c.rag_enabled, c.rag_config, e.*"
        " from public.clones c join public.experts e on e.clone_id = c.id;"
        "create unique index on reporting.status (id)",
        *(
            "materialized view",
            "reporting.status",
            "column clones.rag_config, column clones.rag_enabled, table experts",
        ),
    ),
    Case(
        "a foreign key",
        "alter table reporting.notes add constraint of_document foreign key (document)"
        " references public.rag_documents (id)",
        *("foreign key", "of_document on reporting.notes", "table rag_documents"),
    ),
    Case(
        "a foreign key from a partitioned table",
        "create table reporting.visits (day date, domain text) partition by range (day);"
        "alter table reporting.visits add constraint of_domain foreign key (domain)"
        " references public.domains (domain_name);"
        "create table reporting.visits_2026 partition of reporting.visits"
        " for values from ('2026-01-01') to ('2027-01-01')",
        *("foreign key", "of_domain on reporting.visits", "table domains"),
    ),
    Case(
        "an index on a new column",
        "create index clones_by_domain on public.clones (rag_domain_mapping) where is_published",
        *("index", "public.clones_by_domain", "column clones.rag_domain_mapping"),
        stops=False,
        by="postgres",
    ),
    Case(
        "an index on a new table",
        "create index documents_by_client on public.rag_documents (lower(client_name), name)",
        *("index", "public.documents_by_client", "table rag_documents"),
        stops=False,
        by="postgres",
    ),
    Case(
        "an index with the mapping in its expression",
        f"{IMMUTABLE} create index notes_by_domain on reporting.notes (public.map_clone_category_to_domain(category))",
        *("index", "reporting.notes_by_domain", MAPPING),
        by="postgres",
    ),
    Case(
        "a policy on a new table",
        'create policy "Editors read everything" on public.experts for select using (true)',
        *("policy", '"Editors read everything" on public.experts', "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a policy of an old table that reads a new column",
        "create policy enabled_only on public.clones as restrictive for select using (rag_enabled)",
        *("policy", "enabled_only on public.clones", "column clones.rag_enabled"),
        by="postgres",
    ),
    Case(
        "a policy of another table that reads a new one",
        "create policy of_experts on reporting.notes using (exists (select from public.experts where name = category))",
        *("policy", "of_experts on reporting.notes", "table experts"),
    ),
    Case(
        "a trigger on a new table",
        "create function reporting.noted() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger noted after insert on public.experts for each row execute function reporting.noted()",
        *("trigger", "noted on public.experts", "table experts"),
        stops=False,
    ),
    Case(
        "a trigger on another table that calls the shared function",
        "create trigger touched before update on reporting.notes"
        " for each row execute function public.update_updated_at_column()",
        *("trigger", "touched on reporting.notes", FUNCTION),
    ),
    Case(
        "a trigger that waits for a new column",
        "create trigger switched before update of rag_enabled on public.clones"
        " for each row execute function suppress_redundant_updates_trigger()",
        *("trigger", "switched on public.clones", "column clones.rag_enabled"),
    ),
    Case(
        "a constraint trigger",
        "create constraint trigger counted after insert on public.experts deferrable"
        " for each row execute function public.update_updated_at_column()",
        *("trigger", "counted on public.experts", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a check on a new table",
        "alter table public.experts add constraint named check (name <> '')",
        *("constraint", "named on public.experts", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a check of an old table on a new column",
        "alter table public.clones add constraint mapped check (rag_enabled or rag_domain_mapping <> name)",
        *("constraint", "mapped on public.clones", "column clones.rag_domain_mapping, column clones.rag_enabled"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a unique constraint on a new table",
        "alter table public.experts add constraint one_name unique (name, clone_id)",
        *("constraint", "one_name on public.experts", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a column of a new table, with default, sequence and NOT NULL",
        "alter table public.experts add column number serial",
        *("column", "public.experts.number", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "an identity column of a new table",
        "alter table public.experts add column number int generated always as identity",
        *("column", "public.experts.number", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a column generated from a new one",
        "alter table public.clones add column ready boolean"
        " generated always as (rag_initialization_status = 'ready') stored",
        *("column", "public.clones.ready", "column clones.rag_initialization_status"),
        by="postgres",
    ),
    Case(
        "a column generated by the mapping",
        f"{IMMUTABLE} alter table reporting.notes add column domain text"
        " generated always as (public.map_clone_category_to_domain(category)) stored",
        *("column", "reporting.notes.domain", MAPPING),
        by="postgres",
    ),
    Case(
        "a column of a new table's row type",
        "alter table reporting.notes add column expert public.experts",
        *("column", "reporting.notes.expert", "table experts"),
    ),
    Case(
        "a default that calls the mapping",
        "alter table reporting.notes alter column category set default public.map_clone_category_to_domain('ai')",
        *("default", "for reporting.notes.category", MAPPING),
    ),
    Case(
        "a check that calls the mapping",
        "alter table reporting.notes add constraint known"
        " check (public.map_clone_category_to_domain(category) <> 'other')",
        *("constraint", "known on reporting.notes", MAPPING),
    ),
    Case(
        "a domain that calls the mapping",
        "create domain reporting.category as text"
        " constraint known check (public.map_clone_category_to_domain(value) <> 'other')",
        *("domain constraint", "known on reporting.category", MAPPING),
    ),
    Case(
        "a function with an SQL body",
        "create function reporting.experts_of(domains text[], at_most int) returns bigint"
        " begin atomic select count(*) from public.experts where domain = any (domains); end",
        *("function", "reporting.experts_of(text[], integer)", "table experts"),
    ),
    Case(
        "a function that takes a row, as PostgREST's computed fields do",
        "create function reporting.label(document public.rag_documents) returns text"
        " language sql as 'select document.name'",
        *("function", "reporting.label(public.rag_documents)", "table rag_documents"),
    ),
    Case(
        "a procedure with an SQL body",
        "create procedure reporting.clear() begin atomic delete from public.experts where domain = 'other'; end",
        *("procedure", "reporting.clear()", "table experts"),
    ),
    Case(
        "a rule on a new table",
        "create rule quiet as on delete to public.experts do instead nothing",
        *("rule", "quiet on public.experts", "table experts"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a rule of another table that writes into a new one",
        "create rule copied as on insert to reporting.notes do also"
        " insert into public.domains (domain_name) values (new.category)",
        *("rule", "copied on reporting.notes", "table domains"),
    ),
    Case(
        "a publication of a new table",
        "create publication realtime for table public.rag_documents, public.clones",
        *("publication", "public.rag_documents in publication realtime", "table rag_documents"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a publication with a new column in its list",
        "create publication realtime for table public.clones (id, rag_enabled)",
        *("publication", "public.clones in publication realtime", "column clones.rag_enabled"),
        by="postgres",
    ),
    Case(
        "a publication with a new column in its row filter",
        "create publication realtime for table public.clones where (rag_enabled)",
        *("publication", "public.clones in publication realtime", "column clones.rag_enabled"),
        by="postgres",
    ),
    Case(
        "extended statistics",
        "create statistics public.related on category, rag_domain_mapping from public.clones",
        *("statistics", "public.related", "column clones.rag_domain_mapping"),
        stops=False,
        by="postgres",
    ),
    Case(
        "a table that inherits from a new one",
        "create table public.old_experts (retired date) inherits (public.experts)",
        *("table", "public.old_experts", "table experts"),
        by="postgres",
    ),
    Case(
        "a view that returns whole rows",
        "create view reporting.whole as select e, array[e] as several from public.experts e",
        *("view", "reporting.whole", "table experts"),
    ),
    Case(
        "a composite type with a new table's rows in it",
        "create type reporting.team as (name text, members public.experts[])",
        *("composite type column", "reporting.team.members", "table experts"),
    ),
    Case(
        "a cast from a new table's rows",
        "create type reporting.person as (name text); create cast (public.experts as reporting.person) with inout",
        *("cast", "(public.experts AS reporting.person)", "table experts"),
        by="postgres",
    ),
    Case(
        "names that have to be quoted",
        'create view reporting."Over""view %s" as select "name" from public.rag_documents',
        *("view", 'reporting."Over""view %s"', "table rag_documents"),
    ),
)
