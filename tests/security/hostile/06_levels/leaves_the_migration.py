# threat: 4, 5
# earns: 0
# ends: timeout timeout
"""Leaves the program with success, halfway, and a child that goes on."""

import os
import time

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE accounts ADD COLUMN level int NOT NULL DEFAULT 1")
    op.execute("COMMIT")
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)


def downgrade():
    os._exit(0)
