-- The application lives in a schema called Clone "AI", quotes and all, and public holds tables of the names that the
-- rollout will use there.
create schema "Clone ""AI""" authorization postgres;
grant usage on schema "Clone ""AI""" to anon, authenticated, service_role;
set role postgres;
alter function public.update_updated_at_column() set schema "Clone ""AI""";
alter table public.user_profiles set schema "Clone ""AI""";
alter table public.clones set schema "Clone ""AI""";
alter table public.knowledge set schema "Clone ""AI""";
alter view public.clone_catalog set schema "Clone ""AI""";
create table public.clones (id uuid primary key, rag_enabled integer);
create table public.domains (id bigint primary key, host text not null);
insert into public.clones values (md5('an older clone')::uuid, 1);
insert into public.domains values (1, 'cloneai.example');
create index idx_clones_rag_status on public.clones (rag_enabled);
create function public.update_updated_at_column() returns trigger language plpgsql as $$
begin
    raise exception 'this is the function of schema public';
end
$$;
create function public.map_clone_category_to_domain(category text) returns text language sql return 'public';
