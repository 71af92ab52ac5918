"""Runs revisions on the connection, and in the transaction, that ``sync/store/engine.py`` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
