-- The statement that ended a failed part; one in batches may have failed before, and gone on.
SELECT st.ordinal, st.sql, st.file, st.line, st.error_column, st.sqlstate, st.message, st.detail, st.hint, st.context,
       st.finished_at
FROM rag_wizard.statement st
WHERE st.part_id = %(part_id)s AND st.outcome = 'failed'
ORDER BY st.ordinal DESC
LIMIT 1
