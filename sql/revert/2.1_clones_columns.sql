DROP INDEX IF EXISTS idx_clones_rag_enabled;
DROP INDEX IF EXISTS idx_clones_rag_status;

ALTER TABLE clones
DROP COLUMN IF EXISTS rag_config,
DROP COLUMN IF EXISTS rag_domain_mapping,
DROP COLUMN IF EXISTS rag_expert_name,
DROP COLUMN IF EXISTS rag_initialization_status,
DROP COLUMN IF EXISTS rag_enabled;
