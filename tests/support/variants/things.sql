-- A table for tests/rollouts/things, large enough for two batches, and a trigger that notes every update of a row.
set role postgres;
create table public.things (id bigint primary key, n int not null, pad text);
insert into public.things select g, g, repeat('.', 200) from generate_series(1, 150) as g;
create table public.audit (id bigint not null);
create function public.note_update() returns trigger language plpgsql set search_path = ''
as $$ begin insert into public.audit (id) values (new.id); return null; end $$;
create trigger note_update after update on public.things for each row execute function public.note_update();
vacuum (analyze) public.things;
