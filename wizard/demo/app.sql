-- The CloneAI application as it stands before the rollout. Run by postgres.
create table public.user_profiles (
    id uuid primary key default gen_random_uuid(),
    user_id text not null unique,
    display_name text not null,
    avatar_url text,
    is_creator boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table public.clones (
    id uuid primary key default gen_random_uuid(),
    creator_id text not null,
    name text not null,
    category text,
    bio text,
    avatar_url text,
    is_published boolean not null default false,
    base_price numeric(10, 2),
    settings jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index clones_creator_id_idx on public.clones (creator_id);

create table public.knowledge (
    id uuid primary key default gen_random_uuid(),
    clone_id uuid not null references public.clones (id) on delete cascade,
    title text not null,
    content_type text not null,
    content_url text,
    content_preview text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index knowledge_clone_id_idx on public.knowledge (clone_id);

create view public.clone_catalog with (security_invoker = true) as
    select id, name, category, bio, base_price
    from public.clones
    where is_published;

CREATE OR REPLACE FUNCTION public.update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ language 'plpgsql';

create trigger update_user_profiles_updated_at before update on public.user_profiles
    for each row execute function public.update_updated_at_column();
create trigger update_clones_updated_at before update on public.clones
    for each row execute function public.update_updated_at_column();
create trigger update_knowledge_updated_at before update on public.knowledge
    for each row execute function public.update_updated_at_column();

-- A dashboard webhook. The token is made up: it stands for the real ones that such triggers carry.
create trigger clones_changed after insert or update on public.clones
    for each row execute function supabase_functions.http_request(
        'https://hooks.cloneai.example/clones',
        'POST',
        '{"Content-Type":"application/json","Authorization":"Bearer demo-webhook-token-4f1c9a"}',
        '{}',
        '1000'
    );

alter table public.user_profiles enable row level security;
alter table public.clones enable row level security;
alter table public.knowledge enable row level security;

create policy "Profiles are visible to their owner" on public.user_profiles
    for select to authenticated using (user_id = (select auth.uid())::text);
create policy "Owners update their profile" on public.user_profiles
    for update to authenticated using (user_id = (select auth.uid())::text);

create policy "Published clones are visible to everyone" on public.clones
    for select using (is_published);
create policy "Creators manage their own clones" on public.clones
    for all to authenticated
    using (creator_id = (select auth.uid())::text)
    with check (creator_id = (select auth.uid())::text);

create policy "Creators manage the knowledge of their clones" on public.knowledge
    for all to authenticated
    using (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text))
    with check (clone_id in (select id from public.clones where creator_id = (select auth.uid())::text));

grant select, insert, update, delete on public.user_profiles, public.clones, public.knowledge
    to authenticated, service_role;
grant select on public.clones to anon;
grant select on public.clone_catalog to anon, authenticated, service_role;
