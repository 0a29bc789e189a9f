-- Of the registry: what a rollback needs that destroys rows. Made before the first of them.

-- Where those rows were written before a rollback destroyed them.
CREATE TABLE IF NOT EXISTS rag_wizard.archive (
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

COMMENT ON COLUMN rag_wizard.archive.completed_at IS 'from then on nothing is added to it but what waits for it already, and no rollback goes on with it';

-- Each guard of the parts that a rollback undoes, as its rows were archived.
CREATE TABLE IF NOT EXISTS rag_wizard.archive_file (
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
CREATE TABLE IF NOT EXISTS rag_wizard.late_row (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    archive_id uuid NOT NULL,
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    holds text NOT NULL DEFAULT 'values' CHECK (holds IN ('values', 'defaults', 'nothing')),
    row json NOT NULL
);

CREATE INDEX IF NOT EXISTS late_row_guard ON rag_wizard.late_row (archive_id, part_id, ordinal);

COMMENT ON COLUMN rag_wizard.late_row.number IS 'the order in which they were saved';

COMMENT ON COLUMN rag_wizard.late_row.ordinal IS 'of the guard that selected the row';

COMMENT ON COLUMN rag_wizard.late_row.holds IS 'values worth keeping; only defaults, which count where the archive holds other values; nothing: the row is gone, and only its key is here';

-- Triggers that note, while a rollback is on its way, which rows of a large table the application changes.
CREATE TABLE IF NOT EXISTS rag_wizard.capture (
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
CREATE TABLE IF NOT EXISTS rag_wizard.captured (
    part_id uuid NOT NULL,
    ordinal integer NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    key jsonb NOT NULL,
    PRIMARY KEY (part_id, ordinal, number)
);

COMMENT ON COLUMN rag_wizard.captured.key IS 'the guard''s key columns, each value as the server''s text of it';

ALTER TABLE rag_wizard.archive ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.archive_file ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.late_row ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.capture ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.captured ENABLE ROW LEVEL SECURITY;
