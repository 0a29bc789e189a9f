SELECT count(*) FROM experts
