"""One operator at work: the connection, the lock, the registry, and who is in the way."""
