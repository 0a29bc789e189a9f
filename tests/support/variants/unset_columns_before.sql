-- The columns that 6.1 and 6.2 fill were there before, in the guide's shape, with values in some rows and NULL in others.
set role postgres;
set session_replication_role = replica;
alter table public.clones add column rag_enabled boolean, add column rag_config jsonb,
    add column rag_domain_mapping text;
update public.clones set rag_enabled = true, rag_config = '{"model": "small"}' where category in ('medical', 'ai');
update public.clones set rag_config = '{"model": "large"}' where category = 'legal';
update public.clones set rag_enabled = true, rag_config = null where category = 'coaching';
update public.clones set rag_domain_mapping = 'finance-investment' where category = 'finance';
alter table public.clones alter column rag_enabled set default false, alter column rag_config set default '{}';
alter table public.knowledge add column rag_processing_status text
    check (rag_processing_status in ('pending', 'processing', 'completed', 'failed', 'skipped'));
update public.knowledge set rag_processing_status = 'completed' where content_type = 'pdf';
alter table public.knowledge alter column rag_processing_status set default 'pending';
vacuum (analyze) public.clones, public.knowledge;
