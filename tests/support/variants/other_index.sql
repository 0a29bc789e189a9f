-- An index of a name that step 2.1 uses, on another column.
set role postgres;
create index idx_clones_rag_status on public.clones (is_published, updated_at);
