"""Brings a types file of Supabase's generator up to date with a database: catalog to entries to edits of the file."""
