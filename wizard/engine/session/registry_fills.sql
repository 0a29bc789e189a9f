-- Of the registry: what backfills of columns need that were there before. Made before the first of them.

-- Rows whose NULL a part filled, in columns that were there before the rollout.
CREATE TABLE IF NOT EXISTS rag_wizard.filled (
    part_id uuid NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    key jsonb NOT NULL
);

CREATE INDEX IF NOT EXISTS filled_part ON rag_wizard.filled (part_id, table_name, column_name, key);

ALTER TABLE rag_wizard.filled ENABLE ROW LEVEL SECURITY;
