"""The keys are written as SQL, after the tables; rows are kept apart by exclusion."""

from sqlalchemy import DDL, Column, Computed, DateTime, Integer, Table, Text, event, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import DeclarativeBase, foreign, relationship, remote


class Base(DeclarativeBase):
    pass


class Numbered(Base):
    __abstract__ = True
    id = Column(Integer, primary_key=True)


class User(Numbered):
    __tablename__ = "users"
    email = Column(Text, nullable=False)
    name = Column(Text, nullable=False)


class Profile(Numbered):
    __tablename__ = "profiles"
    user_id = Column(Integer, nullable=False)
    bio = Column(Text, nullable=False)
    __table_args__ = (ExcludeConstraint(("user_id", "="), using="btree"),)


class Track(Numbered):
    __tablename__ = "tracks"
    author_id = Column(Integer, nullable=False)
    title = Column(Text, nullable=False)
    shouted = Column(Text, Computed("upper(title)"))


class Lesson(Numbered):
    __tablename__ = "lessons"
    track_id = Column(Integer, nullable=False)
    position = Column(Integer, nullable=False)
    title = Column(Text, nullable=False)


class Enrollment(Numbered):
    __tablename__ = "enrollments"
    user_id = Column(Integer, nullable=False)
    track_id = Column(Integer, nullable=False)
    progress = Column(Integer, nullable=False, server_default=text("0"))
    enrolled_at = Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    __table_args__ = (ExcludeConstraint(("user_id", "="), ("track_id", "="), using="btree"),)


class Tag(Numbered):
    __tablename__ = "tags"
    name = Column(Text, nullable=False)


links = Table(
    "links",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", Integer, nullable=False),
    Column("tag_id", Integer, nullable=False),
    ExcludeConstraint(("tag_id", "="), ("track_id", "="), using="btree"),
)

for table, column, target, then in (
    ("profiles", "user_id", "users", "CASCADE"),
    ("tracks", "author_id", "users", "RESTRICT"),
    ("lessons", "track_id", "tracks", "CASCADE"),
    ("enrollments", "user_id", "users", "CASCADE"),
    ("enrollments", "track_id", "tracks", "CASCADE"),
    ("links", "track_id", "tracks", "CASCADE"),
    ("links", "tag_id", "tags", "CASCADE"),
):
    key = f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {target} ON DELETE {then}"
    event.listen(Base.metadata, "after_create", DDL(key))


def join(part, attribute, key, whole, back, **options):
    """An attribute of the part, and the one on the other side that deletes what it lets go."""
    on = foreign(getattr(part, key)) == remote(whole.id)
    setattr(part, attribute, relationship(whole, primaryjoin=on, back_populates=back))
    on = whole.id == foreign(getattr(part, key))
    there = relationship(part, primaryjoin=on, back_populates=attribute, **options)
    setattr(whole, back, there)


PARTS = {"cascade": "all, delete, delete-orphan", "passive_deletes": True}
join(Profile, "user", "user_id", User, "profile", uselist=False, **PARTS)
join(Track, "author", "author_id", User, "tracks", passive_deletes="all")
join(Lesson, "track", "track_id", Track, "lessons", order_by=Lesson.position, **PARTS)
join(Enrollment, "user", "user_id", User, "enrollments", **PARTS)
join(Enrollment, "track", "track_id", Track, "enrollments", **PARTS)
PAIRS = {
    "secondary": links,
    "foreign_keys": [links.c.track_id, links.c.tag_id],
}
Track.tags = relationship(
    Tag,
    primaryjoin=Track.id == links.c.track_id,
    secondaryjoin=Tag.id == links.c.tag_id,
    back_populates="tracks",
    **PAIRS,
)
Tag.tracks = relationship(
    Track,
    primaryjoin=Tag.id == links.c.tag_id,
    secondaryjoin=Track.id == links.c.track_id,
    back_populates="tags",
    **PAIRS,
)
