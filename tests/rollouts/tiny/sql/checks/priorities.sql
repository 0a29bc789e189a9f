SELECT 'tickets without a priority' AS subject, '0' AS expected, count(*)::text AS found FROM tickets WHERE priority IS NULL
