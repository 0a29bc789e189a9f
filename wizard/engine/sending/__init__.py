"""How a part is sent: with patience for locks, in batches, at a pace; and what is recorded and told of it."""
