ALTER TABLE things
    ADD COLUMN state text DEFAULT 'new' CHECK (state IN ('new', 'old')),
    ADD COLUMN filled text;

CREATE INDEX idx_things_n ON things(n);
