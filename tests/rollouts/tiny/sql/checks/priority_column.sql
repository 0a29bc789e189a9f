SELECT wanted.subject, 'present' AS expected, wanted.found
FROM (
    SELECT 'tickets.priority', (SELECT 'present' FROM pg_attribute
        WHERE attrelid = to_regclass(quote_ident(current_schema()) || '.tickets') AND attname = 'priority' AND NOT attisdropped)
    UNION ALL
    SELECT 'tickets_priority_idx', (SELECT 'present' FROM pg_index
        WHERE indexrelid = to_regclass(quote_ident(current_schema()) || '.tickets_priority_idx') AND indisvalid)
) AS wanted (subject, found)
