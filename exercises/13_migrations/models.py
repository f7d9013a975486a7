"""The tables as the new version of the application wants them. Given, and not to be changed."""

from sqlalchemy import BigInteger, Enum, ForeignKey, Identity, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    difficulty: Mapped[str] = mapped_column(
        Enum("beginner", "intermediate", "advanced", name="difficulty"), server_default="beginner"
    )


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    title: Mapped[str] = mapped_column(Text)
    minutes: Mapped[int | None]
