-- clones.category is an enum; values that are no label become NULL.
set role postgres;
drop view public.clone_catalog;
create type public.clone_category as enum (
    'medical', 'business', 'education', 'finance', 'coaching', 'legal', 'ai', 'gaming'
);
alter table public.clones alter column category type public.clone_category
    using case when category in ('medical', 'business', 'education', 'finance', 'coaching', 'legal', 'ai', 'gaming')
        then category::public.clone_category end;
create view public.clone_catalog with (security_invoker = true) as
    select id, name, category, bio, base_price
    from public.clones
    where is_published;
grant select on public.clone_catalog to anon, authenticated, service_role;
vacuum (analyze) public.clones;
