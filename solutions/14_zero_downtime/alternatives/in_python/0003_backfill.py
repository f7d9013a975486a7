"""Rows are locked before they are read, a hundred at a time, on a connection of its own."""

from alembic import op

revision = "in_python_0003"
down_revision = "in_python_0002"


def upgrade():
    with op.get_bind().engine.connect() as connection:
        while True:
            with connection.begin():
                rows = connection.exec_driver_sql(
                    "SELECT id, score FROM attempts WHERE points IS NULL"
                    " ORDER BY id DESC LIMIT 100 FOR UPDATE"
                ).all()
                for row in rows:
                    connection.exec_driver_sql(
                        "UPDATE attempts SET points = %(score)s WHERE id = %(id)s", row._asdict()
                    )
            if not rows:
                break


def downgrade():
    raise NotImplementedError
