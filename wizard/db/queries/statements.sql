-- The statement log of a rollout (or of all), in the order the parts were sent. A part whose session ended inside it has
-- no statement: what the database said of it stands in the log instead.
WITH entry AS (
    SELECT p.session_id::text AS session, s.operator, p.step, p.part, p.direction, st.ordinal, st.sql,
           CASE WHEN st.outcome = 'failed' THEN 'failed' ELSE 'committed' END AS outcome, st.rows, st.hold_triggers,
           coalesce(lag(st.finished_at) OVER part, p.started_at, p.intended_at) AS started_at,
           extract(epoch FROM st.finished_at - coalesce(lag(st.finished_at) OVER part, p.started_at))::float8 * 1000
               AS duration_ms,
           p.xid::text AS xid, p.lsn::text AS lsn, concat_ws(' ', st.sqlstate, st.message) AS error, p.mode,
           CASE p.mode WHEN 'batches' THEN p.batches END AS batches, p.number, p.rollout_id, part_id::text
    FROM rag_wizard.statement st
    JOIN rag_wizard.part p USING (part_id)
    JOIN rag_wizard.session s USING (session_id)
    WINDOW part AS (PARTITION BY st.part_id ORDER BY st.ordinal)
    UNION ALL
    SELECT p.session_id::text, s.operator, p.step, p.part, p.direction, 0, '',
           CASE WHEN p.mode = 'concurrently' OR p.batches > 0 THEN 'interrupted' ELSE 'rolled back' END, NULL, false,
           p.intended_at, NULL, NULL, NULL,
           'the session ended inside this part; '
           || CASE WHEN p.batches > 0 THEN format('%%s batches of it (%%s rows) are committed and stay', p.batches, p.rows)
                   WHEN p.mode = 'concurrently' THEN 'the next one asked the catalog how far it had come'
                   ELSE 'it left nothing behind' END,
           p.mode, CASE p.mode WHEN 'batches' THEN p.batches END, p.number, p.rollout_id, p.part_id::text
    FROM rag_wizard.part p
    JOIN rag_wizard.session s USING (session_id)
    WHERE p.state = 'interrupted'
)
SELECT session, operator, step, part, direction, ordinal, sql, outcome, rows, hold_triggers, started_at, duration_ms,
       xid, lsn, error, mode, batches, r.name AS rollout, r.target_schema, part_id
FROM entry
JOIN rag_wizard.rollout r USING (rollout_id)
WHERE %(everything)s OR (r.name = %(name)s AND r.target_schema = %(schema)s)
ORDER BY number, ordinal
