"""Seats, enrollments, and what learners do in their lessons"""

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    raise NotImplementedError


def downgrade() -> None:
    raise NotImplementedError
