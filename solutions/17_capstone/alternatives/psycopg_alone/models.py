"""The tables, for autogenerate alone: the store writes its SQL itself."""

import sqlalchemy as sa

Base = sa.MetaData()

sa.Table(
    "users",
    Base,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("email", name="users_email_key"),
)
sa.Table(
    "tracks",
    Base,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("difficulty", sa.Text, nullable=False),
    sa.Column("price_cents", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seats", sa.Integer),
    sa.CheckConstraint("seats >= 1", name="there_is_a_seat"),
    sa.CheckConstraint("price_cents >= 0", name="nobody_is_paid"),
)
sa.Table(
    "lessons",
    Base,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("track_id", sa.BigInteger, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name="lessons_track_id_fkey"),
    sa.UniqueConstraint("track_id", "position", name="lessons_track_id_position_key"),
)
sa.Table(
    "enrollments",
    Base,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("track_id", sa.BigInteger, sa.ForeignKey("tracks.id"), nullable=False),
    sa.Column(
        "enrolled_at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.text("clock_timestamp()"),
    ),
    sa.UniqueConstraint("track_id", "user_id", name="once"),
)
sa.Table(
    "lesson_progress",
    Base,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("lesson_id", sa.BigInteger, sa.ForeignKey("lessons.id"), nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("score", sa.Integer),
    sa.Column("completed_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("lesson_id", "user_id", name="one_record"),
    sa.CheckConstraint("minutes >= 0 AND score >= 0 AND score <= 100", name="makes_sense"),
)
