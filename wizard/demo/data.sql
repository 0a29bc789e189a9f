-- The application's rows, made from nothing but the number of clones: psql -v rows=300 -f data.sql. Run by postgres.
-- The same number always gives the same rows, ids and times included. Rows go in by key: a million of them in order.
begin;
set local statement_timeout = 0;
-- No webhook is called for rows that were always there, and no foreign key is checked row by row.
set local session_replication_role = replica;

create temporary table demo_creators on commit drop as
    select n, md5('creator ' || n)::uuid as id
    from generate_series(1, :rows / 3 + 1) as n;

insert into auth.users (id, email, created_at)
select id, 'creator' || n || '@cloneai.example', timestamptz '2025-01-06 08:00+00' + n % 400 * interval '7 hours'
from demo_creators;

insert into public.user_profiles (id, user_id, display_name, is_creator, created_at, updated_at)
select
    md5('profile ' || n)::uuid,
    id::text,
    (array['Amara', 'Bruno', 'Chidi', 'Dalia', 'Elif', 'Farid', 'Greta', 'Hana', 'Ivo', 'Jun', 'Keiko', 'Lars', 'Mei'])[n % 13 + 1]
        || ' ' || (array['Okafor', 'Silva', 'Haddad', 'Novak', 'Yilmaz', 'Berg', 'Tanaka'])[n % 7 + 1],
    true,
    timestamptz '2025-01-06 08:00+00' + n % 400 * interval '7 hours',
    timestamptz '2025-01-06 08:00+00' + n % 400 * interval '7 hours' + n % 30 * interval '1 day'
from demo_creators;

-- 40 slots, walked in steps of 7: any 40 consecutive clones have each of them once.
insert into public.clones (
    id, creator_id, name, category, bio, avatar_url, is_published, base_price, settings, created_at, updated_at
)
select
    md5('clone ' || n)::uuid,
    md5('creator ' || n % (:rows / 3 + 1) + 1)::uuid::text,
    (array['Dr.', 'Coach', 'Professor', 'Advisor', 'Mentor'])[n % 5 + 1]
        || ' ' || (array['Adams', 'Baptiste', 'Chen', 'Dubois', 'Eriksen', 'Fofanah', 'Garcia', 'Hassan'])[n % 8 + 1] || ' ' || n,
    (array[
        'medical', 'medical', 'medical', 'medical', 'medical', 'medical', 'business', 'business', 'business', 'business',
        'business', 'business', 'business', 'education', 'education', 'education', 'education', 'education', 'finance',
        'finance', 'finance', 'finance', 'coaching', 'coaching', 'coaching', 'coaching', 'legal', 'legal', 'legal', 'ai',
        'ai', 'ai', 'ai', null, null, 'Medical ', 'AI', 'gaming', '', 'lifestyle'
    ])[n * 7 % 40 + 1],
    'Answers questions the way its creator would, from ' || n % 12 + 1 || ' years of notes, talks and letters.',
    'https://cdn.cloneai.example/avatars/' || md5('avatar ' || n) || '.webp',
    n % 4 <> 0,
    (n % 20 * 5 + 9)::numeric(10, 2),
    jsonb_build_object('language', (array['en', 'de', 'fr', 'es'])[n % 4 + 1], 'temperature', (n % 10) / 10.0),
    timestamptz '2025-02-03 09:00+00' + n % 20000 * interval '31 minutes',
    timestamptz '2025-02-03 09:00+00' + n % 20000 * interval '31 minutes' + n % 45 * interval '1 day'
from generate_series(1, :rows) as n
order by 1;

-- One, two or three pieces for each clone.
insert into public.knowledge (
    id, clone_id, title, content_type, content_url, content_preview, metadata, created_at, updated_at
)
select
    md5('knowledge ' || n || ' ' || k)::uuid,
    md5('clone ' || n)::uuid,
    (array['Interview', 'Handbook', 'Talk', 'Newsletter', 'Case notes'])[(n + k) % 5 + 1] || ' ' || k,
    (array['pdf', 'audio', 'link', 'text'])[(n + k) % 4 + 1],
    'https://files.cloneai.example/' || md5('file ' || n || ' ' || k),
    'Part ' || k || ' of what the clone knows. ' || repeat('It was written down over many years. ', n % 4),
    jsonb_build_object('pages', n % 60 + k, 'source', 'upload'),
    timestamptz '2025-02-04 09:00+00' + n % 20000 * interval '31 minutes' + k * interval '1 hour',
    timestamptz '2025-02-04 09:00+00' + n % 20000 * interval '31 minutes' + k * interval '3 hours'
from generate_series(1, :rows) as n
cross join lateral generate_series(1, n % 3 + 1) as k
order by 1;
commit;

vacuum (analyze) public.user_profiles, public.clones, public.knowledge;
