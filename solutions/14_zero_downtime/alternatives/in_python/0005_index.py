"""On the connection itself, in autocommit."""

from alembic import op

revision = "in_python_0005"
down_revision = "in_python_0004"


def upgrade():
    with (
        op.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        connection.exec_driver_sql(
            "CREATE INDEX CONCURRENTLY by_user ON attempts USING btree (user_id)"
        )


def downgrade():
    raise NotImplementedError
