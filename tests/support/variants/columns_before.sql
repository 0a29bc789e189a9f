-- An earlier attempt at the integration left columns of the guide's own shape on clones and knowledge, with data in them.
set role postgres;
-- No webhook is called, and updated_at stays, as in the application's own data migrations.
set session_replication_role = replica;
alter table public.knowledge add column openai_file_id text;
update public.knowledge set openai_file_id = 'file-' || left(md5(id::text), 12) where content_type in ('pdf', 'text');
alter table public.clones add column rag_expert_name text;
update public.clones set rag_expert_name = 'Expert of ' || name where is_published;
vacuum (analyze) public.clones, public.knowledge;
