-- clones.creator_id is varchar, which Postgres casts in every comparison with text.
set role postgres;
drop policy "Creators manage their own clones" on public.clones;
drop policy "Creators manage the knowledge of their clones" on public.knowledge;
alter table public.clones alter column creator_id type varchar(100);
create policy "Creators manage their own clones" on public.clones
    for all to authenticated
    using (creator_id = (select auth.uid())::text)
    with check (creator_id = (select auth.uid())::text);
create policy "Creators manage the knowledge of their clones" on public.knowledge
    for all to authenticated
    using (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text))
    with check (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text));
vacuum (analyze) public.clones;
