-- Generated columns on clones and knowledge that follow columns and the row itself, and keys that the server counts.
set role postgres;
alter table public.clones
    add column search tsvector generated always as
        (to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(category, '') || ' ' || coalesce(bio, ''))) stored,
    add column slug text generated always as (lower(regexp_replace(btrim(name), '\W+', '-', 'g'))) stored,
    add column number bigint generated always as identity;
create index clones_search_idx on public.clones using gin (search);
create unique index clones_slug_idx on public.clones (slug);
alter table public.knowledge
    add column pages integer generated always as ((metadata ->> 'pages')::integer) stored check (pages > 0);
select current_setting('server_version_num')::integer >= 180000 as has_virtual \gset
\if :has_virtual
alter table public.clones
    add column is_free boolean generated always as (coalesce(base_price, 0) = 0) virtual;
\endif
vacuum (analyze) public.clones, public.knowledge;
