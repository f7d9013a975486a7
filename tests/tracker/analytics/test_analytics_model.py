"""All figures against the same figures in plain Python, for any learners, tracks and progress."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, groupby

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.analytics import learners, tracks, trends, views
from tracker.models import (
    Enrollment,
    Lesson,
    LessonProgress,
    Payment,
    Role,
    Section,
    SectionProgress,
    Track,
    TrackAnalytics,
    TrackProgress,
    User,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = count(1)


@dataclass
class Opened:
    """A lesson as one learner left it, and the two sections in it."""

    completed_after: int | None  # hours
    minutes: int
    score: Decimal | None
    sections: tuple[bool, bool]


@dataclass
class Enrolled:
    status: str
    seen_after: int  # hours
    lessons: list[Opened]

    @property
    def percent(self) -> int:
        done = sum(lesson.completed_after is not None for lesson in self.lessons)
        return 100 * done // len(self.lessons)


@dataclass
class Paid:
    cents: int
    currency: str
    status: str
    after: int  # hours


@dataclass
class World:
    is_published: list[bool]  # of each track
    hours: list[int]
    enrolled: dict[tuple[int, int], Enrolled]  # by learner and track
    paid: list[tuple[int, Paid]]  # track and payment
    users: list[User] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)


LESSONS, LEARNERS = 2, 3
HOURS = st.integers(0, 60 * 24)
OPENED = st.builds(
    Opened,
    completed_after=st.none() | HOURS,
    minutes=st.integers(0, 200),
    score=st.none() | st.decimals(0, 100, places=2),
    sections=st.tuples(st.booleans(), st.booleans()),
)
ENROLLED = st.builds(
    Enrolled,
    status=st.sampled_from(["active", "completed", "expired", "cancelled"]),
    seen_after=HOURS,
    lessons=st.lists(OPENED, min_size=LESSONS, max_size=LESSONS),
)
PAID = st.builds(
    Paid,
    cents=st.integers(1, 10_000),
    currency=st.sampled_from(["USD", "EUR"]),
    status=st.sampled_from(["pending", "completed", "failed", "refunded"]),
    after=HOURS,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    size = draw(st.integers(0, 3))
    pairs = [(learner, track) for learner in range(LEARNERS) for track in range(size)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return World(
        is_published=draw(st.lists(st.booleans(), min_size=size, max_size=size)),
        hours=draw(st.lists(st.integers(1, 9), min_size=size, max_size=size)),
        enrolled={pair: draw(ENROLLED) for pair in chosen},
        paid=draw(st.lists(st.tuples(st.integers(0, size - 1), PAID), max_size=4)) if size else [],
    )


def save(session: Session, world: World) -> None:
    author = user(Role.INSTRUCTOR)
    world.users = [user() for _ in range(LEARNERS)]
    world.tracks = [
        Track(
            title=f"Track {number}",
            author=author,
            is_published=is_published,
            published_at=START,
            estimated_hours=hours,
            lessons=[lesson(position) for position in range(1, LESSONS + 1)],
        )
        for number, (is_published, hours) in enumerate(
            zip(world.is_published, world.hours, strict=True)
        )
    ]
    session.add_all([author, *world.users, *world.tracks])
    session.flush()
    for (who, which), enrolled in world.enrolled.items():
        save_enrollment(session, world.users[who], world.tracks[which], enrolled)
    session.add_all(payment(world.tracks[which], paid) for which, paid in world.paid)
    session.flush()


def user(role: Role = Role.STUDENT) -> User:
    name = f"analyzed{next(NUMBERS)}"
    return User(email=f"{name}@example.com", username=name, password_hash="!", role=role)


def lesson(position: int) -> Lesson:
    sections = [Section(title="S", content="…", position=place) for place in (1, 2)]
    return Lesson(
        title="L",
        content="…",
        duration_minutes=1,
        position=position,
        is_published=True,
        sections=sections,
    )


def at(hours: int | None) -> datetime | None:
    return None if hours is None else START + timedelta(hours=hours)


def save_enrollment(session: Session, user: User, track: Track, enrolled: Enrolled) -> None:
    done = [x for x in enrolled.lessons if x.completed_after is not None]
    ended = at(enrolled.seen_after) if enrolled.status == "completed" else None
    enrollment = Enrollment(
        user_id=user.id,
        track_id=track.id,
        status=enrolled.status,
        enrolled_at=START,
        completed_at=ended,
    )
    enrollment.progress = TrackProgress(
        completed_lessons=len(done),
        total_lessons=LESSONS,
        started_at=START,
        last_accessed_at=at(enrolled.seen_after),
        completed_at=ended,
    )
    session.add(enrollment)
    for row, opened in zip(track.lessons, enrolled.lessons, strict=True):
        session.add(
            LessonProgress(
                user_id=user.id,
                lesson_id=row.id,
                completed=opened.completed_after is not None,
                completed_at=at(opened.completed_after),
                time_spent_minutes=opened.minutes,
                score=opened.score,
                last_accessed_at=START,
            )
        )
        for section, completed in zip(row.sections, opened.sections, strict=True):
            session.add(
                SectionProgress(
                    user_id=user.id,
                    section_id=section.id,
                    completed=completed,
                    completed_at=START if completed else None,
                    last_accessed_at=START,
                )
            )


def payment(track: Track, paid: Paid) -> Payment:
    taken = paid.status in ("completed", "refunded")
    return Payment(
        track_id=track.id,
        track_title=track.title,
        amount_cents=paid.cents,
        currency=paid.currency,
        status=paid.status,
        provider="test",
        provider_payment_id=str(next(NUMBERS)),
        completed_at=at(paid.after) if taken else None,
        refunded_at=at(paid.after) if paid.status == "refunded" else None,
    )


def average(values: Iterable[int | Decimal]) -> Decimal | None:
    listed = [Decimal(value) for value in values]
    return rounded(sum(listed) / len(listed)) if listed else None


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds())
def test_every_figure_is_what_plain_python_makes_of_the_same_world(
    shared_engine: Engine, world: World
) -> None:
    with shared_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            save(session, world)
            views.refresh(session)
            tracks.record(session)
            for check in (catalog, popularity, completion, recorded, people, days, revenue):
                check(session, world)
        outer.rollback()


def catalog(session: Session, world: World) -> None:
    assert tracks.catalog_statistics(session) == tracks.CatalogStatistics(
        tracks=len(world.tracks),
        published=sum(world.is_published),
        average_hours=average(world.hours),
        shortest_hours=min(world.hours, default=None),
        longest_hours=max(world.hours, default=None),
    )


def of_track(world: World, which: int) -> list[Enrolled]:
    return [enrolled for (_, track), enrolled in world.enrolled.items() if track == which]


def of_user(world: World, who: int) -> list[Enrolled]:
    return [enrolled for (user, _), enrolled in world.enrolled.items() if user == who]


def popularity(session: Session, world: World) -> None:
    expected = [
        (track.id, LESSONS, sum(e.status != "cancelled" for e in of_track(world, which)))
        for which, track in enumerate(world.tracks)
        if track.is_published
    ]
    expected.sort(key=lambda row: (-row[2], row[0]))
    found = tracks.popular_tracks(session)
    assert [(row.track_id, row.lessons, row.learners) for row in found] == expected


def expected_completion(world: World, which: int) -> tracks.Completion:
    enrolled = of_track(world, which)
    completed = [e for e in enrolled if e.status == "completed"]
    return tracks.Completion(
        track_id=world.tracks[which].id,
        title=world.tracks[which].title,
        enrollments=len(enrolled),
        completions=len(completed),
        completion_rate=average(100 * (e.status == "completed") for e in enrolled),
        average_percent=average(e.percent for e in enrolled),
        average_hours_to_complete=average(e.seen_after for e in completed),
    )


def completion(session: Session, world: World) -> None:
    expected = [expected_completion(world, which) for which in range(len(world.tracks))]
    found = [tracks.completion_of(session, track.id) for track in world.tracks]
    assert found == expected
    shown = [row for row, public in zip(expected, world.is_published, strict=True) if public]
    shown.sort(key=lambda row: (-(row.completion_rate or Decimal(-1)), row.track_id))
    page = tracks.completion(session)
    assert {row.track_id: row for row in page.items} == {row.track_id: row for row in shown}
    rates = [row.completion_rate for row in page.items]
    assert rates == sorted(rates, key=lambda rate: -1 if rate is None else rate, reverse=True)


def recorded(session: Session, world: World) -> None:
    for which, track in enumerate(world.tracks):
        expected = expected_completion(world, which)
        row = session.get_one(TrackAnalytics, track.id)
        assert row.total_enrollments == expected.enrollments
        assert row.active_enrollments == sum(e.status == "active" for e in of_track(world, which))
        assert row.completion_rate == (expected.completion_rate or 0)
        assert row.average_progress == (expected.average_percent or 0)
        assert row.total_revenue_cents == sum(
            paid.cents
            for other, paid in world.paid
            if other == which and paid.status == "completed" and paid.currency == "USD"
        )


def people(session: Session, world: World) -> None:
    engaged = {row.user_id: row for row in learners.engagement(session, limit=100).items}
    assert engaged.keys() == {user.id for user in world.users}
    for who, user in enumerate(world.users):
        enrolled = of_user(world, who)
        opened = [lesson for e in enrolled for lesson in e.lessons]
        done = sum(lesson.completed_after is not None for lesson in opened)
        minutes = sum(lesson.minutes for lesson in opened)
        score = average(lesson.score for lesson in opened if lesson.score is not None)
        completed = sum(e.status == "completed" for e in enrolled)
        assert learners.user_progress(session, user.id) == learners.UserProgress(
            len(opened), done, minutes, score
        )
        assert learners.learning_summary(session, user.id, START) == learners.LearningSummary(
            tracks_enrolled=len(enrolled),
            tracks_completed=completed,
            average_percent=average(e.percent for e in enrolled),
            lessons_completed=done,
            minutes_spent=minutes,
            average_score=score,
            sections_completed=sum(sum(lesson.sections) for lesson in opened),
        )
        row = engaged[user.id]
        assert (row.tracks_enrolled, row.tracks_completed) == (len(enrolled), completed)
        assert (row.lessons_completed, row.minutes_spent) == (done, minutes)
        assert row.average_score == score
        assert row.last_active_at == at(max((e.seen_after for e in enrolled), default=None))


def days(session: Session, world: World) -> None:
    completed = [
        (START.date() + timedelta(days=opened.completed_after // 24), who, which, opened)
        for (who, which), enrolled in world.enrolled.items()
        for opened in enrolled.lessons
        if opened.completed_after is not None
    ]
    found = trends.learning_days(session, days=70, until=date(2026, 5, 9))
    assert [row.day for row in found] == [START.date() + timedelta(days=n) for n in range(70)]
    for row in found:
        that_day = [rest for day, *rest in completed if day == row.day]
        opened = [each for *_, each in that_day]
        assert row.learners == len({who for who, *_ in that_day})
        assert row.lessons_completed == len(that_day)
        assert row.tracks == len({which for _, which, _ in that_day})
        assert row.average_minutes == average(each.minutes for each in opened)
        assert row.average_score == average(x.score for x in opened if x.score is not None)


def revenue(session: Session, world: World) -> None:
    def month_and_currency(paid: Paid) -> tuple[int, str]:
        moment = at(paid.after)
        assert moment is not None
        return -moment.month, paid.currency

    taken = [paid for _, paid in world.paid if paid.status == "completed"]
    expected = []
    for (month, currency), group in groupby(
        sorted(taken, key=month_and_currency), key=month_and_currency
    ):
        cents = [paid.cents for paid in group]
        expected.append((date(2026, -month, 1), currency, len(cents), sum(cents)))
    found = trends.revenue_by_month(session)
    assert [(row.month, row.currency, row.payments, row.cents) for row in found] == expected
