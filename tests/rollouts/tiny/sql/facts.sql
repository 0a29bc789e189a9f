SELECT CASE WHEN to_regclass(quote_ident(current_schema()) || '.old_tickets') IS NULL THEN 'absent' ELSE 'present' END AS legacy
