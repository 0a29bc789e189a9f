-- clones.rag_enabled is there before, as the integer flag of an older feature, and so is a use of it.
set role postgres;
set session_replication_role = replica;
alter table public.clones add column rag_enabled integer not null default 0;
update public.clones set rag_enabled = 1 where category = 'ai';
create index clones_rag_enabled_idx on public.clones (rag_enabled) where rag_enabled = 1;
vacuum (analyze) public.clones;
