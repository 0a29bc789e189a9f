-- Names that have to be quoted on and around clones: capitals, spaces, quotes, percent signs, a reserved word, a semicolon.
set role postgres;
create type public."Clone Category" as enum ('medical', 'business', 'it''s "other"');
create table public."Clone ""Reviews""" (
    "Id" uuid primary key default gen_random_uuid(),
    "Clone Id" uuid not null constraint "fk; drop table clones;--" references public.clones (id) on delete cascade,
    "select" text not null default 'it''s',
    "100%s" integer not null check ("100%s" between 0 and 100)
);
insert into public."Clone ""Reviews""" ("Id", "Clone Id", "100%s") select md5(id::text)::uuid, id, 80 from public.clones;
drop view public.clone_catalog;
alter table public.clones
    alter column category type public."Clone Category" using
        case when category in ('medical', 'business') then category::public."Clone Category"
             when category is not null then 'it''s "other"' end,
    add column "Display Name" text,
    add column "price (""EUR"")" numeric(10, 2) check ("price (""EUR"")" >= 0),
    add column "%(rate)s %" double precision default 0.5,
    add column "order" integer;
create view public."Clone ""Catalog""" with (security_invoker = true) as
    select id, "Display Name", "price (""EUR"")", "order", "%(rate)s %" from public.clones;
create index "Clones by ""price"", 100%" on public.clones ("price (""EUR"")") where "Display Name" <> 'a;b';
create function public."Touch ""Clones""!"() returns trigger language plpgsql as $body$
begin
    new."Display Name" = coalesce(new."Display Name", new.name);
    return new;
end
$body$;
create trigger "before ""all"" %s" before insert or update on public.clones
    for each row execute function public."Touch ""Clones""!"();
create policy "Editors; don't ""publish"" 100%" on public.clones
    for select to authenticated using ("Display Name" is not null);
alter table public.clones rename constraint clones_pkey to "Clones ""PK""";
comment on column public.clones."order" is 'it''s "the" order; 100%';
vacuum (analyze) public.clones;
