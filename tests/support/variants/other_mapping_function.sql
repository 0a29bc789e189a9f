-- map_clone_category_to_domain(text) is there before, with a mapping of its own that a generated column relies on.
set role postgres;
create function public.map_clone_category_to_domain(category text) returns text
    language sql immutable
return case when category in ('medical', 'coaching') then 'wellbeing' else 'work' end;
alter table public.clones
    add column area text generated always as (public.map_clone_category_to_domain(category)) stored;
