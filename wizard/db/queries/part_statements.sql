-- The log of one part.
SELECT st.ordinal, st.sql, st.rows, st.file, st.line, p.xid::text,
       extract(epoch FROM st.finished_at - coalesce(lag(st.finished_at) OVER (ORDER BY st.ordinal), p.started_at))::float8
           * 1000 AS duration_ms
FROM rag_wizard.statement st JOIN rag_wizard.part p USING (part_id)
WHERE st.part_id = %(part_id)s
ORDER BY st.ordinal
