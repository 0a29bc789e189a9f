-- clones is partitioned by month, so its key is id and time: nothing can refer to id alone.
set role postgres;
set session_replication_role = replica;
set client_min_messages = warning;
create table public.clones_by_month (like public.clones including defaults) partition by range (created_at);
alter table public.clones_by_month add primary key (id, created_at);
create table public.clones_2025 partition of public.clones_by_month for values from ('2025-01-01') to ('2026-01-01');
create table public.clones_later partition of public.clones_by_month default;
insert into public.clones_by_month select * from public.clones;
drop table public.clones cascade;
drop policy if exists "Creators manage the knowledge of their clones" on public.knowledge;
alter table public.clones_by_month rename to clones;
