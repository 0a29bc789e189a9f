SELECT count(*) FROM assistants
