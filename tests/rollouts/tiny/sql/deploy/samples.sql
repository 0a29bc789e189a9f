INSERT INTO tickets (title, origin) VALUES ('Urgent: the printer is on fire', 'sample'), ('A semicolon; in a title', 'sample');
