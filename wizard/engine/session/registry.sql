-- The registry: what rollouts did to this database. It is made with the first rollout and removed by `rag-wizard forget`.
-- Not for applications: RLS is on without a policy, and nothing is granted to anyone.
-- Foreign keys are left to what a rollout consists of. Elsewhere one program writes in one order, and a key that is checked
-- row by row would only make longer what has to be short.
CREATE SCHEMA rag_wizard;

COMMENT ON SCHEMA rag_wizard IS 'Registry of rag-wizard, format 5: rollouts, checkpoints, statement log. Removed by: rag-wizard forget';

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

CREATE TABLE rag_wizard.statement (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    sql text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('committed', 'failed')),
    rows bigint,
    hold_triggers boolean NOT NULL DEFAULT false,
    session_id uuid,
    started_at timestamptz,
    finished_at timestamptz,
    xid xid8,
    lsn pg_lsn,
    batches integer,
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

COMMENT ON COLUMN rag_wizard.statement.session_id IS 'of a pass in batches that has ended, and of a failure: later passes write their own into the part. Elsewhere NULL, as are started_at, xid, lsn and batches: the part has them';

ALTER TABLE rag_wizard.rollout ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.session ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.part ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.revert ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.object ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.guard ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.statement ENABLE ROW LEVEL SECURITY;
