DROP INDEX IF EXISTS tickets_priority_idx;
ALTER TABLE tickets DROP COLUMN IF EXISTS priority;
