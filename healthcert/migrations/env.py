"""What Alembic runs: the caller gives the connection and owns the transaction."""

from alembic import context

from healthcert import migrations
from healthcert.models import Base, triggers

_connection = context.config.attributes["connection"]

# A trigger that names a table would stop SQLite from renaming the table's rebuilt copy.
triggers.drop(_connection)
context.configure(
    connection=_connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
if migrations.revision(_connection) == migrations.head():
    triggers.install(_connection)
