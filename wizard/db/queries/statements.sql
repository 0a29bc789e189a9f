-- The statement log of a rollout (or of all), in the order the parts were sent. A part whose session ended inside it has
-- no statement: what the database said of it stands in the log instead. One in batches has the row of its pass from the
-- beginning, without an end until its checkpoint; of several passes each comes where it ended, with its own session,
-- times and transaction: the part has those of the latest.
WITH logged AS (
    SELECT st.*,
           coalesce(st.started_at,
                    CASE WHEN p.mode <> 'batches'
                         THEN lag(st.finished_at) OVER (PARTITION BY st.part_id ORDER BY st.ordinal) END,
                    p.started_at) AS began_at
    FROM rag_wizard.statement st
    JOIN rag_wizard.part p USING (part_id)
), pass AS (
    SELECT st.part_id, st.ordinal,
           st.ordinal < max(st.ordinal) OVER (PARTITION BY st.part_id) AS is_earlier,
           st.finished_at IS NULL AS is_open,
           coalesce(st.rows, p.rows - coalesce(sum(st.rows) OVER (PARTITION BY st.part_id), 0)) AS rows,
           coalesce(st.batches, p.batches - coalesce(sum(st.batches) OVER (PARTITION BY st.part_id), 0)) AS batches
    FROM rag_wizard.statement st
    JOIN rag_wizard.part p USING (part_id)
    WHERE p.mode = 'batches' AND st.outcome = 'committed'
), entry AS (
    SELECT s.session_id::text AS session, s.operator, p.step, p.part, p.direction, st.ordinal, st.sql,
           CASE WHEN pass.is_open THEN 'interrupted' ELSE st.outcome END AS outcome,
           coalesce(st.rows, pass.rows) AS rows, st.hold_triggers,
           coalesce(st.began_at, p.intended_at) AS started_at,
           extract(epoch FROM st.finished_at - st.began_at)::float8 * 1000 AS duration_ms,
           CASE st.outcome WHEN 'committed' THEN coalesce(st.xid, p.xid) END::text AS xid,
           CASE st.outcome WHEN 'committed' THEN coalesce(st.lsn, p.lsn) END::text AS lsn,
           CASE WHEN pass.is_open
                THEN CASE p.state WHEN 'failed' THEN 'a statement of this part failed'
                                  WHEN 'intent' THEN 'this part has not ended, or nobody saw its end'
                                  ELSE 'the session ended inside this part' END
                     || format('; %%s batches of it (%%s rows) are committed and stay', pass.batches, pass.rows)
                ELSE concat_ws(' ', st.sqlstate, st.message) END AS error,
           p.mode, CASE WHEN p.mode = 'batches' THEN coalesce(pass.batches, p.batches) END AS batches,
           p.number, p.rollout_id, part_id::text,
           CASE WHEN pass.is_earlier
                THEN coalesce((SELECT max(o.number) FROM rag_wizard.part o
                               WHERE o.part_id <> p.part_id AND o.finished_at < st.finished_at), 0)
                ELSE p.number END AS place
    FROM logged st
    JOIN rag_wizard.part p USING (part_id)
    JOIN rag_wizard.session s ON s.session_id = coalesce(st.session_id, p.session_id)
    LEFT JOIN pass USING (part_id, ordinal)
    -- A pass that changed nothing yet is told below, or by its failure.
    WHERE NOT coalesce(pass.is_open AND pass.rows = 0, false)
    UNION ALL
    SELECT p.session_id::text, s.operator, p.step, p.part, p.direction, 0, '',
           CASE WHEN p.mode = 'concurrently' OR open.batches > 0 THEN 'interrupted' ELSE 'rolled back' END, NULL, false,
           p.intended_at, NULL, NULL, NULL,
           'the session ended inside this part; '
           || CASE WHEN open.batches > 0
                   THEN format('%%s batches of it (%%s rows) are committed and stay', open.batches, open.rows)
                   WHEN p.mode = 'concurrently' THEN 'the next one asked the catalog how far it had come'
                   ELSE 'it left nothing behind' END,
           p.mode, open.batches, p.number, p.rollout_id, p.part_id::text, p.number
    FROM rag_wizard.part p
    JOIN rag_wizard.session s USING (session_id)
    LEFT JOIN pass AS open ON open.part_id = p.part_id AND open.is_open
    WHERE p.state = 'interrupted' AND NOT coalesce(open.rows > 0, false)
)
SELECT session, operator, step, part, direction, ordinal, sql, outcome, rows, hold_triggers, started_at, duration_ms,
       xid, lsn, error, mode, batches, r.name AS rollout, r.target_schema, part_id
FROM entry
JOIN rag_wizard.rollout r USING (rollout_id)
WHERE %(everything)s OR (r.name = %(name)s AND r.target_schema = %(schema)s)
ORDER BY place, number, ordinal
