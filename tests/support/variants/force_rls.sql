-- Row level security binds the owner of clones and knowledge too, as some security guides advise.
set role postgres;
alter table public.clones force row level security;
alter table public.knowledge force row level security;
