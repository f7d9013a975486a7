"""Mapped classes as they are at this revision, and a session."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session, declarative_base

revision: str = "0003"
down_revision: str | None = "0002"

Base = declarative_base()


class Lesson(Base):
    __tablename__ = "lessons"
    id = sa.Column(sa.BigInteger, primary_key=True)
    duration = sa.Column(sa.Text)
    minutes = sa.Column(sa.Integer)


def upgrade() -> None:
    op.add_column("lessons", sa.Column("minutes", sa.Integer))
    session = Session(bind=op.get_bind())
    for lesson in session.query(Lesson).filter(Lesson.duration.is_not(None)):
        hours, minutes = lesson.duration.split(":")
        lesson.minutes = int(hours) * 60 + int(minutes)
    session.flush()
    op.drop_column("lessons", "duration")


def downgrade() -> None:
    op.add_column("lessons", sa.Column("duration", sa.Text))
    session = Session(bind=op.get_bind())
    for lesson in session.query(Lesson):
        if lesson.minutes is not None:
            hours, minutes = divmod(lesson.minutes, 60)
            lesson.duration = f"{hours}:{minutes:02d}"
    session.flush()
    op.drop_column("lessons", "minutes")
