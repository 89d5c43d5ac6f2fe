"""Alembic's environment: hubindex hands over an open connection and migrates inside its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
