-- What Supabase itself puts into a database: schemas auth, extensions and supabase_functions, the realtime publication.
-- Run by supabase_admin, once for each database.
alter database :"DBNAME" owner to postgres;
grant usage on schema public to postgres, anon, authenticated, service_role;

create schema extensions;
grant usage on schema extensions to postgres, anon, authenticated, service_role;

create schema auth authorization supabase_auth_admin;
grant usage on schema auth to postgres, anon, authenticated, service_role;

set role supabase_auth_admin;

create table auth.users (
    id uuid primary key,
    email text unique,
    raw_user_meta_data jsonb,
    created_at timestamptz not null default now()
);

create function auth.uid() returns uuid language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
    )::uuid
$$;

create function auth.role() returns text language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
    )::text
$$;

create function auth.email() returns text language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.email', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email')
    )::text
$$;

create function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
    )::jsonb
$$;

grant select, insert, update, delete on auth.users to postgres;
reset role;

-- A webhook of the dashboard is a row trigger on this function. Here it notes the call and sends nothing.
create schema supabase_functions authorization supabase_functions_admin;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;

set role supabase_functions_admin;

create table supabase_functions.hooks (
    id bigserial primary key,
    hook_table_id integer not null,
    hook_name text not null,
    created_at timestamptz not null default now(),
    request_id bigint
);

create function supabase_functions.http_request() returns trigger
    language plpgsql security definer set search_path to 'supabase_functions'
as $$
begin
    if coalesce(tg_argv[0], 'null') = 'null' then
        raise exception 'url argument is missing';
    end if;
    insert into hooks (hook_table_id, hook_name) values (tg_relid, tg_name);
    return new;
end
$$;

grant select on supabase_functions.hooks to postgres;
reset role;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
