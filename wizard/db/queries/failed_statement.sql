-- The statement that ended a failed part.
SELECT st.ordinal, st.sql, st.file, st.line, st.error_column, st.sqlstate, st.message, st.detail, st.hint, st.context,
       st.finished_at
FROM rag_wizard.statement st
WHERE st.part_id = %(part_id)s AND st.outcome = 'failed'
