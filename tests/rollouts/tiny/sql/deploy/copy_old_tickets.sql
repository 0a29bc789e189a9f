INSERT INTO tickets (title, origin) SELECT title, 'old' FROM old_tickets;
