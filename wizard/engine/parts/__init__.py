"""The unit that commits: composed, shown, sent, and what came of it."""
