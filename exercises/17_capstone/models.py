"""The tables, as 0001 has left them. Your revisions and this file go on together from here."""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Numeric,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {str: Text}


class User(Base):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email", name="users_email_key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str]
    name: Mapped[str]


class Track(Base):
    __tablename__ = "tracks"
    __table_args__ = (CheckConstraint("price > 0", name="tracks_price_check"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str]
    difficulty: Mapped[str]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    published: Mapped[bool] = mapped_column(server_default=false())


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (
        UniqueConstraint("track_id", "position", name="lessons_track_id_position_key"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", name="lessons_track_id_fkey"))
    position: Mapped[int]
    title: Mapped[str]
    minutes: Mapped[int]
