-- Of the registry: what rollouts need that write to a types file. Made before the first of them.

-- Types files that the rollout wrote to, as they were before: rolling back puts them back.
CREATE TABLE IF NOT EXISTS rag_wizard.types_file (
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

ALTER TABLE rag_wizard.types_file ENABLE ROW LEVEL SECURITY;
