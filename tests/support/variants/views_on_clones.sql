-- Views of every kind on clones and knowledge: one that froze SELECT *, one that groups by the key, one that is updated
-- through, a materialized one, and a function that returns whole rows.
set role postgres;
create view public.published_clones with (security_invoker = true) as
    select * from public.clones where is_published with check option;
create view public.clone_sizes with (security_invoker = true) as
    select c.*, count(k.id) as pieces
    from public.clones as c left join public.knowledge as k on k.clone_id = c.id
    group by c.id;
create materialized view public.category_counts as
    select category, count(*) as clones, avg(base_price) as mean_price from public.clones group by category;
create unique index category_counts_category_idx on public.category_counts (category);
create function public.clones_of(creator text) returns setof public.clones
    language sql stable
begin atomic
    select * from public.clones where creator_id = creator;
end;
create rule archive_published as on delete to public.published_clones
    do instead update public.clones set is_published = false where id = old.id;
grant select on public.published_clones, public.clone_sizes to authenticated, service_role;
