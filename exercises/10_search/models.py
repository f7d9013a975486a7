"""The table of this exercise, mapped as it is. Given: use it, there is nothing to change in it.

A column that you add is not mapped. In SQLAlchemy `literal_column("lessons.name_of_it")` names it.
"""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text}


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    content: Mapped[str | None]
    is_published: Mapped[bool]
