-- The 13 foreign keys of the six tables and the one of knowledge. The guide's own query returns 19 rows for the 13,
-- because two tables have a constraint called fk_domain, and none at all to a role that owns no table.
WITH expected (place, table_name, name, definition) AS (
    VALUES
        (1, 'experts', 'experts_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (2, 'experts', 'fk_domain', 'FOREIGN KEY (domain) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (3, 'rag_documents', 'fk_domain', 'FOREIGN KEY (domain) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (4, 'rag_documents', 'rag_documents_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (5, 'vector_stores', 'fk_vector_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (6, 'vector_stores', 'vector_stores_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (7, 'assistants', 'assistants_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (8, 'assistants', 'fk_assistant_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (9, 'assistants', 'fk_assistant_vector_store', 'FOREIGN KEY (vector_store_id) REFERENCES vector_stores(vector_id) ON DELETE SET NULL'),
        (10, 'clone_rag_mapping', 'clone_rag_mapping_assistant_id_fkey', 'FOREIGN KEY (assistant_id) REFERENCES assistants(assistant_id) ON DELETE SET NULL'),
        (11, 'clone_rag_mapping', 'clone_rag_mapping_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (12, 'clone_rag_mapping', 'clone_rag_mapping_vector_store_id_fkey', 'FOREIGN KEY (vector_store_id) REFERENCES vector_stores(vector_id) ON DELETE SET NULL'),
        (13, 'clone_rag_mapping', 'fk_mapping_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (14, 'knowledge', 'knowledge_rag_document_id_fkey', 'FOREIGN KEY (rag_document_id) REFERENCES rag_documents(id) ON DELETE SET NULL')
),
live AS (
    SELECT c.relname AS table_name, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND k.contype = 'f'
)
SELECT expected.table_name || ': ' || expected.name AS subject, expected.definition AS expected,
       live.definition AS found
FROM expected LEFT JOIN live USING (table_name, name)
ORDER BY expected.place
