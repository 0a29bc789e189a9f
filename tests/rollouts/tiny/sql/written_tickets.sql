SELECT count(*) FROM tickets WHERE origin = 'application'
