"""Alembic revisions of the store: append-only, for SQLite and PostgreSQL alike."""
