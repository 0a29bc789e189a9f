-- The application's update_updated_at_column() has another body than the guide's, and works on any table with updated_at.
set role postgres;
create or replace function public.update_updated_at_column() returns trigger
    language plpgsql security definer set search_path to ''
as $$
begin
    new.updated_at = clock_timestamp();
    return new;
end
$$;
comment on function public.update_updated_at_column() is 'ours: wall clock, not transaction time';
