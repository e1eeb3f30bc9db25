"""Alembic's entry: runs the revisions on the connection that `schemas.db.migrate` opened."""

from alembic import context

from schemas.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
