"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}

Before you commit this file: read every line that was generated; say above why the change is made; give
`downgrade` the means to undo it, enum types included; and run the tests, which go up, down and up again
with rows in the tables.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
