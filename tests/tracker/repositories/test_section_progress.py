from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference
from tracker.models import Lesson, Section, Track, User
from tracker.repositories import content, section_progress
from tracker.repositories.section_progress import SectionVisit

Statements = Callable[[], AbstractContextManager[list[str]]]


def lesson_with_sections(session: Session, track: Track, sections: int) -> Lesson:
    lesson = Lesson(
        track=track, title="L", content="…", duration_minutes=1, position=len(track.lessons) + 1
    )
    session.add(lesson)
    session.flush()
    for number in range(sections):
        content.add_section(session, lesson.id, f"S{number}", "…", is_required=number % 2 == 0)
    session.refresh(lesson)
    return lesson


def test_what_was_never_opened_is_listed_with_zeros(
    session: Session, make_user: Callable[..., User], make_track: Callable[..., Track]
) -> None:
    lesson = lesson_with_sections(session, make_track(), 3)
    user, other = make_user(), make_user()
    second = lesson.sections[1].id
    section_progress.record(session, other.id, [SectionVisit(second, completed=True)])
    section_progress.record(session, user.id, [SectionVisit(second, 90, Decimal("81.5"))])
    states = section_progress.of_lesson(session, user.id, lesson.id)
    assert [(s.position, s.completed, s.time_spent_seconds, s.score) for s in states] == [
        (1, False, 0, None),
        (2, False, 90, Decimal("81.50")),
        (3, False, 0, None),
    ]
    required = section_progress.of_lesson(session, user.id, lesson.id, only_required=True)
    assert [state.position for state in required] == [1, 3]


def test_required_sections_that_are_left_are_counted_for_many_lessons(
    session: Session,
    make_user: Callable[..., User],
    make_track: Callable[..., Track],
    statements: Statements,
) -> None:
    track, user, counts = make_track(), make_user(), []
    for _ in range(2):
        for _ in range(2):
            lesson = lesson_with_sections(session, track, 3)
            session.refresh(track)
            section_progress.record(
                session, user.id, [SectionVisit(lesson.sections[0].id, completed=True)]
            )
        lesson_ids = [lesson.id for lesson in track.lessons]
        with statements() as sent:
            left = section_progress.required_left(session, user.id, lesson_ids)
        assert left == dict.fromkeys(lesson_ids, 1)
        counts.append(len(sent))
    assert counts == [1, 1]


def test_reading_and_recording_take_one_statement_whatever_the_number(
    session: Session,
    make_user: Callable[..., User],
    make_track: Callable[..., Track],
    statements: Statements,
) -> None:
    user, counts = make_user(), []
    for size in (4, 8):
        lesson = lesson_with_sections(session, make_track(), size)
        visits = [SectionVisit(section.id, 1, completed=True) for section in lesson.sections]
        with statements() as sent:
            section_progress.record(session, user.id, visits)
            assert len(section_progress.of_lesson(session, user.id, lesson.id)) == size
        counts.append(len(sent))
    assert counts == [2, 2]


def test_visits_that_break_a_rule_are_refused_together(
    session: Session,
    make_user: Callable[..., User],
    make_track: Callable[..., Track],
    stranger: UUID,
) -> None:
    lesson = lesson_with_sections(session, make_track(), 2)
    first, second = (section.id for section in lesson.sections)
    user_id = make_user().id
    for visits, error in (
        ([SectionVisit(first), SectionVisit(first)], InvalidData),
        ([SectionVisit(first, 5), SectionVisit(second, score=Decimal(101))], InvalidData),
        ([SectionVisit(first, 5), SectionVisit(second, -1)], InvalidData),
        ([SectionVisit(first, 5), SectionVisit(stranger)], MissingReference),
    ):
        with pytest.raises(error), session.begin_nested():
            section_progress.record(session, user_id, visits)
    assert section_progress.record(session, user_id, []) == []
    states = section_progress.of_lesson(session, user_id, lesson.id)
    assert [state.time_spent_seconds for state in states] == [0, 0]


visits = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 500),
        st.none() | st.decimals(0, 100, places=2),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda visit: visit[0],
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(visits, max_size=5))
def test_recording_adds_up_keeps_the_best_and_never_takes_back(
    shared_engine: Engine, calls: list[list[tuple[int, int, Decimal | None, bool]]]
) -> None:
    with Session(shared_engine) as session:
        user = User(email="a@b", username="a", password_hash="$argon2id$")
        track = Track(title="T", author=user)
        session.add(track)
        lesson = lesson_with_sections(session, track, 3)
        sections: list[Section] = lesson.sections
        seconds, scores, done = [0, 0, 0], [None, None, None], {}
        for call in calls:
            section_progress.record(
                session, user.id, [SectionVisit(sections[n].id, *rest) for n, *rest in call]
            )
            for n, spent, score, completed in call:
                seconds[n] += spent
                scores[n] = max((s for s in (scores[n], score) if s is not None), default=None)
                done[n] = done.get(n, False) or completed
            states = section_progress.of_lesson(session, user.id, lesson.id)
            assert [state.time_spent_seconds for state in states] == seconds
            assert [state.score for state in states] == scores
            assert [state.completed for state in states] == [done.get(n, False) for n in range(3)]
            assert all(state.completed == (state.completed_at is not None) for state in states)
