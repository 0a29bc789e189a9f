"""What one operator at work holds: the lock, the heartbeat, the registry and its record, and who is in the way."""
