UPDATE tickets SET priority = 1 WHERE title ILIKE 'urgent%';
