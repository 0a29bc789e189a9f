-- clones belongs to another role, which postgres is not a member of.
do $$
begin
    create role app_owner nologin;
exception
    when duplicate_object then null;
end
$$;
grant usage, create on schema public to app_owner;
alter table public.clones owner to app_owner;
grant select, insert, update, delete, references on public.clones to postgres;
