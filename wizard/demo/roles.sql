-- The roles of a Supabase project, for a whole cluster. Run by the bootstrap superuser supabase_admin.
-- `postgres` is what an operator gets: no superuser.
\getenv password PGPASSWORD

create role postgres login createdb createrole replication bypassrls password :'password';
create role anon nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit;
create role supabase_functions_admin login noinherit;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;

alter role postgres set search_path to "$user", public, extensions;
alter role supabase_admin set search_path to "$user", public, auth, extensions;
alter role supabase_auth_admin set search_path to auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout to '60s';
alter role anon set statement_timeout to '3s';
alter role authenticated set statement_timeout to '8s';
alter role authenticator set statement_timeout to '8s';
alter role authenticator set lock_timeout to '8s';

-- Supabase's extension supautils lets `postgres` set this one; without it, a grant on the parameter does the same.
grant set on parameter session_replication_role to postgres;
