-- Of the registry: what parts in batches need. Made before the first of them.

-- Each committed batch of a part that is sent in batches.
CREATE TABLE IF NOT EXISTS rag_wizard.batch (
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
CREATE TABLE IF NOT EXISTS rag_wizard.leftover (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id uuid NOT NULL,
    relation text NOT NULL,
    key jsonb NOT NULL
);

CREATE INDEX IF NOT EXISTS leftover_part ON rag_wizard.leftover (part_id, number);

ALTER TABLE rag_wizard.batch ENABLE ROW LEVEL SECURITY;

ALTER TABLE rag_wizard.leftover ENABLE ROW LEVEL SECURITY;
