-- The registry: what rollouts did to this database. It is made with the first rollout and removed by `rag-wizard forget`.
-- Not for applications: RLS is on without a policy, and nothing is granted to anyone.
-- Foreign keys are left to what a rollout consists of. Elsewhere one program writes in one order, and a key that is checked
-- row by row would only make longer what has to be short.
CREATE SCHEMA rag_wizard;

COMMENT ON SCHEMA rag_wizard IS 'Registry of rag-wizard, format 3: rollouts, checkpoints, statement log. Removed by: rag-wizard forget';

CREATE TABLE rag_wizard.rollout (
    rollout_id uuid PRIMARY KEY,
    name text NOT NULL,
    target_schema text NOT NULL,
    strategy text NOT NULL,
    wizard_version text NOT NULL,
    facts jsonb NOT NULL,
    decisions jsonb NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);

COMMENT ON COLUMN rag_wizard.rollout.facts IS 'what the steps were rendered for: every later session renders with the same';

COMMENT ON COLUMN rag_wizard.rollout.ended_at IS 'when everything was rolled back; NULL while anything is rolled out';

-- One rollout of a name at a time in a schema.
CREATE UNIQUE INDEX rollout_active ON rag_wizard.rollout (name, target_schema) WHERE ended_at IS NULL;

CREATE TABLE rag_wizard.session (
    session_id uuid PRIMARY KEY,
    rollout_id uuid NOT NULL REFERENCES rag_wizard.rollout,
    operator text NOT NULL,
    wizard_version text NOT NULL,
    host text NOT NULL,
    os_pid integer NOT NULL,
    backend_pid integer NOT NULL,
    backend_start timestamptz,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);

COMMENT ON COLUMN rag_wizard.session.heartbeat_at IS 'written every 5 s while the session lives; older than 30 s: suspected orphan';

CREATE TABLE rag_wizard.part (
    part_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    rollout_id uuid NOT NULL REFERENCES rag_wizard.rollout,
    session_id uuid NOT NULL REFERENCES rag_wizard.session,
    step text NOT NULL,
    part integer NOT NULL,
    direction text NOT NULL CHECK (direction IN ('deploy', 'revert')),
    title text NOT NULL,
    digest text NOT NULL,
    strategy text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('transaction', 'concurrently', 'batches')),
    state text NOT NULL CHECK (state IN ('intent', 'done', 'failed', 'interrupted')),
    backend_pid integer NOT NULL DEFAULT pg_backend_pid(),
    intended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    xid xid8,
    horizon xid8,
    lsn pg_lsn,
    batches integer NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    total bigint,
    reached jsonb
);

COMMENT ON COLUMN rag_wizard.part.number IS 'the order of attempts; clocks can be set back';

COMMENT ON COLUMN rag_wizard.part.horizon IS 'oldest transaction still running when the part began: rows of it and later ones may be newer than the part';

COMMENT ON COLUMN rag_wizard.part.state IS 'intent is committed before the part; the part''s own transaction turns it into done: the only proof that it committed';

COMMENT ON COLUMN rag_wizard.part.strategy IS 'of the step: its parts are those of this strategy until it is rolled back';

COMMENT ON COLUMN rag_wizard.part.reached IS 'where the next batch begins; each batch moves it in its own transaction';

-- Each committed batch of a part that is sent in batches.
CREATE TABLE rag_wizard.batch (
    part_id uuid NOT NULL,
    number integer NOT NULL,
    rows bigint NOT NULL,
    covered jsonb NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    lsn pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
    began_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (part_id, number)
);

COMMENT ON COLUMN rag_wizard.batch.covered IS 'what it covered';

-- Rows that were locked when their batch came by, or that came since: those of one snapshot, taken after the last batch.
CREATE TABLE rag_wizard.leftover (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id uuid NOT NULL,
    relation text NOT NULL,
    key jsonb NOT NULL
);

CREATE INDEX leftover_part ON rag_wizard.leftover (part_id, number);

-- What rolling a part back will send, as it was rendered when the part ran.
CREATE TABLE rag_wizard.revert (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    sql text NOT NULL,
    file text NOT NULL,
    line integer NOT NULL,
    hold_triggers boolean NOT NULL,
    subsumed_by text NOT NULL,
    mode text NOT NULL,
    batched_by text[] NOT NULL,
    PRIMARY KEY (part_id, ordinal)
);

COMMENT ON COLUMN rag_wizard.revert.batched_by IS 'key columns of the table that an UPDATE in batches changes';

-- What a part makes, and what it finds there already: rolling back undoes what was made, and nothing else.
CREATE TABLE rag_wizard.object (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('made', 'adopted', 'replaced')),
    PRIMARY KEY (part_id, ordinal)
);

COMMENT ON COLUMN rag_wizard.object.definition IS 'as the part leaves it; of a replaced object, how it was before';

-- Rows whose NULL a part filled, in columns that were there before the rollout.
CREATE TABLE rag_wizard.filled (
    part_id uuid NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    key jsonb NOT NULL
);

CREATE INDEX filled_part ON rag_wizard.filled (part_id, table_name, column_name, key);

-- Rows that rolling a part back would destroy: each query selects them.
CREATE TABLE rag_wizard.guard (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    what text NOT NULL,
    table_name text NOT NULL,
    key text[] NOT NULL,
    columns text[] NOT NULL,
    sql text NOT NULL,
    PRIMARY KEY (part_id, ordinal)
);

COMMENT ON COLUMN rag_wizard.guard.columns IS 'added columns of an existing table; empty: the whole rows of a table that goes';

-- Where those rows were written before a rollback destroyed them.
CREATE TABLE rag_wizard.archive (
    archive_id uuid PRIMARY KEY,
    rollout_id uuid NOT NULL,
    session_id uuid NOT NULL,
    host text NOT NULL,
    path text NOT NULL,
    sha256 text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at timestamptz
);

COMMENT ON COLUMN rag_wizard.archive.sha256 IS 'of the manifest; empty while no row had to be written';

COMMENT ON COLUMN rag_wizard.archive.completed_at IS 'when the last of its tables was dropped and nothing was left to write';

-- Each guard of the parts that a rollback undoes, as its rows were archived.
CREATE TABLE rag_wizard.archive_file (
    archive_id uuid NOT NULL,
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    key text[] NOT NULL,
    columns jsonb NOT NULL,
    sql text NOT NULL,
    snapshot pg_snapshot NOT NULL,
    rows bigint NOT NULL,
    late bigint,
    present bigint,
    captured boolean NOT NULL DEFAULT false,
    gone bigint,
    saved_at timestamptz,
    exported_at timestamptz,
    PRIMARY KEY (archive_id, part_id, ordinal)
);

COMMENT ON COLUMN rag_wizard.archive_file.late IS 'rows that came or changed after the snapshot: saved by the part that destroyed them';

COMMENT ON COLUMN rag_wizard.archive_file.present IS 'rows that were there when they were destroyed';

COMMENT ON COLUMN rag_wizard.archive_file.captured IS 'late rows were noted by triggers: late_row may hold several states of a row, of which the last counts';

COMMENT ON COLUMN rag_wizard.archive_file.gone IS 'of captured rows: how many archived ones were gone when the rest was destroyed; NULL before the last states were sorted out';

COMMENT ON COLUMN rag_wizard.archive_file.exported_at IS 'when the late rows were in the archive''s folder; until then they are in late_row';

-- Rows that came or changed after the archive's snapshot: saved in the transaction that destroys them, under its lock;
-- captured ones before it, as far as possible.
CREATE TABLE rag_wizard.late_row (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    archive_id uuid NOT NULL,
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    holds text NOT NULL DEFAULT 'values' CHECK (holds IN ('values', 'defaults', 'nothing')),
    row json NOT NULL
);

CREATE INDEX late_row_guard ON rag_wizard.late_row (archive_id, part_id, ordinal);

COMMENT ON COLUMN rag_wizard.late_row.number IS 'the order in which they were saved';

COMMENT ON COLUMN rag_wizard.late_row.ordinal IS 'of the guard that selected the row';

COMMENT ON COLUMN rag_wizard.late_row.holds IS 'values worth keeping; only defaults, which count where the archive holds other values; nothing: the row is gone, and only its key is here';

-- Triggers that note, while a rollback is on its way, which rows of a large table the application changes.
CREATE TABLE rag_wizard.capture (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    table_schema text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (part_id, ordinal)
);

COMMENT ON COLUMN rag_wizard.capture.name IS 'of the function in this schema, and what the names of its triggers begin with';

COMMENT ON COLUMN rag_wizard.capture.xid IS 'an archive whose snapshot sees it has everything that the triggers do not note';

-- Keys of rows that changed since: written by the application's own transactions. No foreign key and no other check:
-- nothing here may make the application wait or fail.
CREATE TABLE rag_wizard.captured (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    key jsonb NOT NULL,
    PRIMARY KEY (part_id, ordinal, number)
);

COMMENT ON COLUMN rag_wizard.captured.key IS 'the guard''s key columns, each value as the server''s text of it';

-- Types files that the rollout wrote to, as they were before: rolling back puts them back.
CREATE TABLE rag_wizard.types_file (
    rollout_id uuid NOT NULL,
    session_id uuid NOT NULL,
    step text NOT NULL,
    host text NOT NULL,
    path text NOT NULL,
    before bytea NOT NULL,
    written text NOT NULL,
    mended boolean NOT NULL DEFAULT false,
    entries jsonb NOT NULL,
    copy text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_back_at timestamptz,
    PRIMARY KEY (rollout_id, host, path)
);

COMMENT ON COLUMN rag_wizard.types_file.written IS 'sha256 of what was written last, recorded before it was';

COMMENT ON COLUMN rag_wizard.types_file.mended IS 'somebody edited it between two times that it was written: rolling back takes the entries out one by one';

COMMENT ON COLUMN rag_wizard.types_file.entries IS 'which entries of the file are the rollout''s';

CREATE TABLE rag_wizard.statement (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    sql text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('committed', 'failed')),
    rows bigint,
    hold_triggers boolean NOT NULL DEFAULT false,
    finished_at timestamptz,
    file text NOT NULL,
    line integer NOT NULL,
    error_column integer,
    sqlstate text,
    message text,
    detail text,
    hint text,
    context text,
    PRIMARY KEY (part_id, ordinal)
);

ALTER TABLE rag_wizard.rollout ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.session ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.part ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.batch ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.leftover ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.revert ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.object ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.filled ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.guard ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.archive ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.archive_file ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.late_row ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.types_file ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.capture ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.captured ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.statement ENABLE ROW LEVEL SECURITY;

-- Default privileges may have granted the new schema and tables to other roles: take that back.
DO $rag_wizard$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM (
            SELECT (aclexplode(nspacl)).grantee FROM pg_namespace WHERE nspname = 'rag_wizard'
            UNION
            SELECT (aclexplode(relacl)).grantee FROM pg_class WHERE relnamespace = 'rag_wizard'::regnamespace
        ) AS a
        WHERE a.grantee <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'rag_wizard')
    LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA rag_wizard FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON SCHEMA rag_wizard FROM %s', grantee);
    END LOOP;
END
$rag_wizard$;
