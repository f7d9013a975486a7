"""A large school: who belongs to it, what it teaches, and who takes what.

Only what other tables refer to is kept: the catalog, and who takes what. Rows are made from that
while they are copied, and forgotten at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import cycle
from random import Random
from uuid import UUID

from tracker.models import EnrollmentStatus, Role
from tracker.seeding import phrases
from tracker.seeding.rows import UNTIL, identifier, random_for

FOUNDED = UNTIL - timedelta(days=1100)
BRANCHES = 10
LESSONS = 20  # of each track
MODULES = 4
QUESTIONS = 5  # of the quiz of each track
PRICES = (0, 1900, 4900)  # cents
MINUTE = timedelta(minutes=1)
ACCESS = timedelta(days=365)  # to a track that was paid for

LAST_DAY = UNTIL - timedelta(days=2)  # on which somebody enrolls

# How many tracks each of ten people takes: one on average, so that there are as many enrollments
# as people. Those who administer and teach are among the first three.
TAKEN = (0, 0, 0, 1, 1, 1, 1, 1, 2, 3)


@dataclass(frozen=True)
class LargeSize:
    """How many people, a multiple of ten, and how many tracks."""

    users: int
    tracks: int


@dataclass(frozen=True, slots=True)
class Member:
    """A user, as far as other tables need to know them."""

    id: UUID
    joined: datetime
    role: Role


@dataclass(frozen=True, slots=True)
class CatalogTrack:
    """A track with all that belongs to it, as far as other tables need to know them."""

    id: UUID
    title: str
    written: datetime
    price_cents: int
    is_published: bool
    module_ids: list[UUID]
    lesson_ids: list[UUID]
    quiz_id: UUID
    question_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Taken:
    """That somebody takes a track: they finish some lessons, one at every stroke of their pace."""

    user_id: UUID
    track: CatalogTrack
    at: datetime
    pace: timedelta
    finished: int
    last: datetime  # when they were seen
    gave_up: bool

    @property
    def completed_at(self) -> datetime | None:
        """When they finished the last lesson, if they did."""
        return self.last if self.finished == LESSONS else None

    @property
    def expires_at(self) -> datetime | None:
        """When the access ends that was paid for."""
        return self.at + ACCESS if self.track.price_cents else None

    @property
    def status(self) -> EnrollmentStatus:
        """Where the enrollment stands."""
        if self.completed_at:
            return EnrollmentStatus.COMPLETED
        if self.gave_up:
            return EnrollmentStatus.CANCELLED
        if self.expires_at and self.expires_at <= UNTIL:
            return EnrollmentStatus.EXPIRED
        return EnrollmentStatus.ACTIVE


class School:
    """The school that belongs to a number: always the same one.

    Arguments:
        number: which demo data.
        size: how much of it.
    """

    def __init__(self, number: int, size: LargeSize) -> None:
        self.number = number
        self.size = size

    @cached_property
    def branches(self) -> list[UUID]:
        """The organizations that some of the members belong to."""
        random = random_for(self.number, "large", "branches")
        return [identifier(random, FOUNDED) for _ in range(BRANCHES)]

    @cached_property
    def catalog(self) -> list[CatalogTrack]:
        """The tracks. Of twenty one is a draft; of three two cost something."""
        random = random_for(self.number, "large", "catalog")
        tracks = []
        for index in range(self.size.tracks):
            written = UNTIL - timedelta(minutes=random.randrange(731 * 1440, 1000 * 1440))
            ids = [identifier(random, written) for _ in range(2 + MODULES + LESSONS + QUESTIONS)]
            tracks.append(
                CatalogTrack(
                    id=ids[0],
                    title=phrases.track_title(index),
                    written=written,
                    price_cents=PRICES[index % len(PRICES)],
                    is_published=index % 20 != 19,
                    quiz_id=ids[1],
                    module_ids=ids[2 : 2 + MODULES],
                    lesson_ids=ids[2 + MODULES : -QUESTIONS],
                    question_ids=ids[-QUESTIONS:],
                )
            )
        return tracks

    @cached_property
    def members(self) -> list[Member]:
        """Everybody: one administrator, an author for every 500 people, learners."""
        random = random_for(self.number, "large", "members")
        return [_member(random, index) for index in range(self.size.users)]

    @cached_property
    def taken(self) -> list[Taken]:
        """Who takes which track: some tracks are much more popular than others."""
        random = random_for(self.number, "large", "taken")
        published = [track for track in self.catalog if track.is_published]
        return [
            _take(random, member, published[place])
            for member, count in zip(self.members, cycle(TAKEN), strict=False)
            for place in _some(random, count, len(published))
        ]


def _member(random: Random, index: int) -> Member:
    joined = UNTIL - random.randrange(30 * 1440, 730 * 1440) * MINUTE
    role = Role.STUDENT
    if index == 0:
        role = Role.ADMIN
    elif index % 500 == 1:
        role = Role.INSTRUCTOR
    return Member(identifier(random, joined), joined, role)


def _some(random: Random, count: int, of: int) -> list[int]:
    """Draw so many different numbers below `of`, the first ones more often than the last ones."""
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn.add(int(of * random.random() ** 2))
    return sorted(drawn)


def _take(random: Random, member: Member, track: CatalogTrack) -> Taken:
    minutes = (LAST_DAY - member.joined) // MINUTE
    at = member.joined + random.randrange(1, minutes) * MINUTE
    # A lesson takes from two hours to four days, or all would not be finished by now.
    pace = MINUTE * min(random.randrange(120, 5760), (UNTIL - at) // MINUTE // (LESSONS + 1))
    # A quarter never begins, a quarter completes, the others stop somewhere between.
    finished = min(max(random.randrange(-LESSONS // 2, LESSONS * 3 // 2), 0), LESSONS)
    return Taken(
        user_id=member.id,
        track=track,
        at=at,
        pace=pace,
        finished=finished,
        last=at + finished * pace,
        gave_up=random.random() < 0.05,
    )
