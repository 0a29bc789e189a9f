-- No CASCADE: if something else depends on the table, this stops and names it.
DROP TABLE IF EXISTS domains;
