-- One part as parts.sql has it, once for each line of its log, or once without. Of one in batches the log may hold earlier
-- passes and their failures: they are left out.
SELECT p.part_id::text, p.session_id::text, p.step, p.part, p.direction, p.title, p.digest, p.state, p.backend_pid,
       p.strategy, p.mode, p.batches, p.rows, p.total, p.reached, p.intended_at, p.number, p.xid::text, p.horizon::text,
       extract(epoch FROM p.finished_at - p.started_at)::float8 AS seconds, s.wizard_version,
       st.part_id IS NULL AND EXISTS (SELECT FROM rag_wizard.object AS o
                                      WHERE o.part_id = p.part_id AND o.origin = 'adopted') AS adopted,
       st.ordinal, st.sql, st.rows AS logged_rows,
       extract(epoch FROM st.finished_at - coalesce(lag(st.finished_at) OVER (ORDER BY st.ordinal), p.started_at))::float8
           * 1000 AS duration_ms
FROM rag_wizard.part p
JOIN rag_wizard.session s USING (session_id)
LEFT JOIN rag_wizard.statement st
    ON st.part_id = p.part_id
    AND (p.mode <> 'batches'
         OR st.ordinal = (SELECT max(t.ordinal) FROM rag_wizard.statement AS t
                          WHERE t.part_id = p.part_id AND t.outcome = 'committed'))
WHERE p.part_id = %(part_id)s
ORDER BY st.ordinal
