"""The text of a part, the unit that commits: one for preview, plan and run. Nothing in here sends it."""
