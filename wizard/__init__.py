"""rag-wizard: guided rollouts of database changes, safe to interrupt, resume and roll back."""

__version__ = "0.1.0"
