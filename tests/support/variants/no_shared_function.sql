-- The application has no update_updated_at_column() and no triggers that use it.
set role postgres;
set client_min_messages = warning;
drop function public.update_updated_at_column() cascade;
