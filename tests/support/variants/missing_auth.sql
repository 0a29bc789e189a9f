-- No schema auth: a PostgreSQL that is not Supabase's. The policies that used it go with it.
set client_min_messages = warning;
drop schema auth cascade;
