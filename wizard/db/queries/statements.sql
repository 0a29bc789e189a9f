-- The statement log of all rollouts of a name in a schema, in the order the parts were sent.
SELECT p.session_id::text AS session, s.operator, p.step, p.part, p.direction, st.ordinal, st.sql,
       CASE WHEN st.outcome = 'failed' THEN 'failed' ELSE 'committed' END AS outcome, st.rows, st.hold_triggers,
       coalesce(lag(st.finished_at) OVER part, p.started_at, p.intended_at) AS started_at,
       extract(epoch FROM st.finished_at - coalesce(lag(st.finished_at) OVER part, p.started_at))::float8 * 1000
           AS duration_ms,
       p.xid::text, p.lsn::text,
       concat_ws(' ', st.sqlstate, st.message) AS error
FROM rag_wizard.statement st
JOIN rag_wizard.part p USING (part_id)
JOIN rag_wizard.session s USING (session_id)
JOIN rag_wizard.rollout r ON r.rollout_id = p.rollout_id
WHERE %(everything)s OR (r.name = %(name)s AND r.target_schema = %(schema)s)
WINDOW part AS (PARTITION BY st.part_id ORDER BY st.ordinal)
ORDER BY p.number, st.ordinal
