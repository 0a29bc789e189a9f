ALTER TABLE tickets ADD COLUMN priority integer NOT NULL DEFAULT 3;
CREATE INDEX tickets_priority_idx ON tickets (priority);
