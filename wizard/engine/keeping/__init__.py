"""Rows that a rollback would destroy: archived, noted meanwhile, brought back."""
