-- clones is partitioned by the hash of its key, with rows in every partition.
set role postgres;
set session_replication_role = replica;
drop policy "Creators manage the knowledge of their clones" on public.knowledge;
drop view public.clone_catalog;
alter table public.knowledge drop constraint knowledge_clone_id_fkey;
alter table public.clones rename to clones_before;
alter index public.clones_creator_id_idx rename to clones_before_creator_id_idx;
alter table public.clones_before rename constraint clones_pkey to clones_before_pkey;
create table public.clones (like public.clones_before including defaults) partition by hash (id);
alter table public.clones add constraint clones_pkey primary key (id);
create table public.clones_p0 partition of public.clones for values with (modulus 3, remainder 0);
create table public.clones_p1 partition of public.clones for values with (modulus 3, remainder 1);
create table public.clones_p2 partition of public.clones for values with (modulus 3, remainder 2);
insert into public.clones select * from public.clones_before;
drop table public.clones_before;
create index clones_creator_id_idx on public.clones (creator_id);
create trigger update_clones_updated_at before update on public.clones
    for each row execute function public.update_updated_at_column();
create trigger clones_changed after insert or update on public.clones
    for each row execute function supabase_functions.http_request(
        'https://hooks.cloneai.example/clones', 'POST', '{"Content-Type":"application/json"}', '{}', '1000');
alter table public.knowledge
    add constraint knowledge_clone_id_fkey foreign key (clone_id) references public.clones (id) on delete cascade;
alter table public.clones enable row level security;
create policy "Published clones are visible to everyone" on public.clones
    for select using (is_published);
create policy "Creators manage their own clones" on public.clones
    for all to authenticated
    using (creator_id = (select auth.uid())::text)
    with check (creator_id = (select auth.uid())::text);
create policy "Creators manage the knowledge of their clones" on public.knowledge
    for all to authenticated
    using (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text))
    with check (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text));
create view public.clone_catalog with (security_invoker = true) as
    select id, name, category, bio, base_price
    from public.clones
    where is_published;
grant select, insert, update, delete on public.clones to authenticated, service_role;
grant select on public.clones to anon;
grant select on public.clone_catalog to anon, authenticated, service_role;
vacuum (analyze) public.clones, public.knowledge;
