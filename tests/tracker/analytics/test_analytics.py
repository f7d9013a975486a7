from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from tracker.analytics import learners, tracks, trends, views
from tracker.analytics.learners import Engagement
from tracker.errors import InvalidData, NotFound
from tracker.models import Enrollment, EnrollmentStatus, Track, TrackProgress, User
from tracker.seeding import seed
from tracker.services import learning

Statements = Callable[[], AbstractContextManager[list[str]]]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def make_learner(session: Session, make_user: Callable[..., User]) -> Callable[..., User]:
    """A learner enrolled in tracks, who completed the first lesson of each some time ago."""

    def make(*taken: Track, ago: timedelta = timedelta()) -> User:
        user = make_user()
        for track in taken:
            learning.enroll(session, user.id, track.id)
            learning.complete_lesson(session, user.id, track.lessons[0].id, minutes=10)
        session.execute(
            update(TrackProgress)
            .where(TrackProgress.user_id == user.id)
            .values(started_at=func.now() - ago, last_accessed_at=func.now() - ago)
        )
        return user

    return make


def test_figures_take_the_same_number_of_statements_when_the_data_doubles(
    session: Session,
    make_track: Callable[..., Track],
    make_learner: Callable[..., User],
    statements: Statements,
) -> None:
    counts = []
    for _ in range(2):
        made = [make_track(lessons=2) for _ in range(3)]
        user, _ = (make_learner(*made, ago=timedelta(days=9)) for _ in range(2))
        views.refresh(session)
        with statements() as sent:
            assert tracks.popular_tracks(session)
            assert tracks.completion(session).items
            assert tracks.completion_of(session, made[0].id).enrollments == 2
            assert tracks.catalog_statistics(session).tracks
            assert tracks.record(session)
            assert learners.user_progress(session, user.id).completed_lessons == 3
            assert learners.learning_summary(session, user.id, LONG_AGO).lessons_completed == 3
            assert learners.engagement(session).items
            assert learners.inactive_learners(session, timedelta(days=7)).items
            assert trends.learning_days(session)[-1].lessons_completed
            assert trends.revenue_by_month(session) == []
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_popular_means_many_learners_and_not_many_lessons(
    session: Session, make_track: Callable[..., Track], make_learner: Callable[..., User]
) -> None:
    long, loved = make_track(title="Long", lessons=5), make_track(title="Loved", lessons=1)
    make_learner(loved)
    make_learner(loved, long)
    found = tracks.popular_tracks(session)
    assert [(row.title, row.lessons, row.learners) for row in found] == [
        ("Loved", 1, 2),
        ("Long", 5, 1),
    ]
    assert len(tracks.popular_tracks(session, limit=1)) == 1


def test_a_track_that_is_not_there_has_no_completion(session: Session, stranger: UUID) -> None:
    with pytest.raises(NotFound):
        tracks.completion_of(session, stranger)


def test_a_view_shows_what_was_there_when_it_was_refreshed_under_the_names_of_today(
    session: Session, make_track: Callable[..., Track], make_learner: Callable[..., User]
) -> None:
    track = make_track(title="Old", lessons=2)
    make_learner(track)
    views.refresh(session)
    make_learner(track)
    track.title = "New"
    session.flush()
    (row,) = tracks.completion(session).items
    assert (row.title, row.enrollments) == ("New", 1)
    views.refresh(session)
    assert tracks.completion(session).items[0].enrollments == 2


def test_a_view_says_when_it_was_refreshed(session: Session) -> None:
    assert set(views.refreshed_at(session).values()) == {None}
    before = session.scalar(select(func.clock_timestamp()))
    views.refresh(session)
    moments = views.refreshed_at(session)
    assert set(moments) == {"learner_engagement", "learning_days", "track_completion"}
    assert all(moment and moment >= before for moment in moments.values())


def test_others_read_a_view_while_it_is_refreshed(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        seed(session)
        views.refresh(session)
    with sessions() as refreshing, sessions() as reading:
        refreshing.execute(text("SELECT refresh_analytics()"))  # and not committed yet
        reading.execute(text("SET lock_timeout = '1s'"))
        assert tracks.completion(reading).total > 0
        refreshing.rollback()


def test_two_refreshes_at_once_wait_for_each_other(sessions: sessionmaker[Session]) -> None:
    with sessions() as first, sessions() as second:
        first.execute(text("SELECT refresh_analytics()"))
        second.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            second.execute(text("SELECT refresh_analytics()"))


def test_who_does_not_own_the_views_cannot_refresh_them(session: Session) -> None:
    session.execute(text("CREATE ROLE analytics_reader"))
    session.execute(text("SET LOCAL ROLE analytics_reader"))
    with pytest.raises(ProgrammingError, match="track_completion"):
        views.refresh(session)


def test_a_learner_grows_inactive_and_dormant_without_any_refresh(
    session: Session, make_track: Callable[..., Track], make_learner: Callable[..., User]
) -> None:
    track = make_track(lessons=1)
    by_name = {
        make_learner(track, ago=timedelta(days=days)).username: expected
        for days, expected in ((1, "active"), (8, "inactive"), (31, "dormant"))
    }
    never = make_learner()
    views.refresh(session)
    found = learners.engagement(session).items
    assert {row.username: str(row.engagement) for row in found} == {
        **by_name,
        never.username: "dormant",
    }
    assert [row.username for row in found] == [*by_name, never.username]
    assert learners.engagement(session, only=Engagement.DORMANT).total == 2


def test_who_left_a_track_unfinished_is_listed_once_for_each_such_track(
    session: Session, make_track: Callable[..., Track], make_learner: Callable[..., User]
) -> None:
    first, second = make_track(lessons=2), make_track(lessons=2)
    finished = make_track(lessons=1)
    left = make_learner(first, second, finished, ago=timedelta(days=20))
    make_learner(first, ago=timedelta(days=1))
    cancelled = make_learner(first, ago=timedelta(days=20))
    session.execute(
        update(Enrollment)
        .where(Enrollment.user_id == cancelled.id)
        .values(status=EnrollmentStatus.CANCELLED)
    )
    found = learners.inactive_learners(session, timedelta(days=14))
    assert {(row.user_id, row.track_id) for row in found.items} == {
        (left.id, first.id),
        (left.id, second.id),
    }
    assert found.total == 2
    assert {row.percent for row in found.items} == {50}


def test_a_page_of_figures_that_cannot_be_is_refused(session: Session) -> None:
    for attempt in (
        lambda: learners.engagement(session, page=0),
        lambda: tracks.completion(session, limit=101),
        lambda: tracks.popular_tracks(session, limit=0),
    ):
        with pytest.raises(InvalidData):
            attempt()


def test_storing_the_figures_again_replaces_them(
    session: Session, make_track: Callable[..., Track], make_learner: Callable[..., User]
) -> None:
    track = make_track(lessons=1)
    assert tracks.record(session) == [track.id]
    make_learner(track)
    assert tracks.record(session) == [track.id]
    row = session.execute(text("SELECT * FROM track_analytics")).mappings().one()
    assert (row["total_enrollments"], row["completion_rate"]) == (1, 100)
