-- The application's update_updated_at_column() sets a column that only its own tables have: no other table can use it.
set role postgres;
alter table public.user_profiles add column version integer not null default 0;
alter table public.clones add column version integer not null default 0;
alter table public.knowledge add column version integer not null default 0;
create or replace function public.update_updated_at_column() returns trigger
    language plpgsql
as $$
begin
    new.updated_at = now();
    new.version = old.version + 1;
    return new;
end
$$;
