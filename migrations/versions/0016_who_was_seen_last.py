"""The index of who was seen last, in the order in which it is read

An index that ends with NULLs can be read backwards, but then it begins with them. So the old one
was of no use to a list that is newest first and has those last who were never seen.

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAME = "ix_learner_engagement_last_active_at"


def upgrade() -> None:
    op.drop_index(op.f(NAME), table_name="learner_engagement")
    op.create_index(op.f(NAME), "learner_engagement", [sa.text("last_active_at DESC NULLS LAST")])


def downgrade() -> None:
    op.drop_index(op.f(NAME), table_name="learner_engagement")
    op.create_index(op.f(NAME), "learner_engagement", ["last_active_at"])
