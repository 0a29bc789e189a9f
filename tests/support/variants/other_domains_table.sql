-- public.domains holds what everybody else calls domains: the host names under which creators publish their clones.
set role postgres;
create table public.domains (
    id bigint generated always as identity primary key,
    host text not null unique,
    profile_id uuid not null references public.user_profiles (id) on delete cascade,
    verified_at timestamptz
);
insert into public.domains (host, profile_id, verified_at)
select left(md5(id::text), 8) || '.cloneai.example', id, created_at from public.user_profiles;
alter table public.domains enable row level security;
create policy "Host names are visible to everyone" on public.domains for select using (verified_at is not null);
