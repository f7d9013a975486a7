"""The services of learning against a model of them in plain Python, step by step in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tracker.errors import TrackerError
from tracker.models import Role
from tracker.repositories import certificates, enrollments, progress, users
from tracker.services import catalog, learning

NUMBERS = count(1)


@dataclass
class ModelTrack:
    lessons: list[UUID]
    capacity: int | None
    is_published: bool = False


@dataclass
class ModelEnrollment:
    status: str = "active"
    minutes: dict[UUID, int] = field(default_factory=dict)
    completed: set[UUID] = field(default_factory=set)


class Learning(RuleBasedStateMachine):
    """Every step is done to the database and to the model; both must say the same."""

    engine: Engine
    people = Bundle("people")
    tracks = Bundle("tracks")

    @initialize()
    def begin(self) -> None:
        self.connection = self.engine.connect()
        self.connection.begin()
        self.session = Session(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        self.model_tracks: dict[UUID, ModelTrack] = {}
        self.model_enrollments: dict[tuple[UUID, UUID], ModelEnrollment] = {}
        self.certified: set[tuple[UUID, UUID]] = set()
        self.author = self.make_user(Role.INSTRUCTOR)

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.session.close()
            self.connection.close()

    def make_user(self, role: Role = Role.STUDENT) -> UUID:
        name = f"person{next(NUMBERS)}"
        user = users.create(
            self.session,
            email=f"{name}@example.com",
            username=name,
            password_hash="$argon2id$",
            role=role,
        )
        self.session.commit()
        return user.id

    def outcome(self, *call: object) -> str:
        work, *arguments = call
        try:
            work(self.session, *arguments)
        except TrackerError as error:
            return type(error).__name__
        return "done"

    @rule(target=people)
    def somebody_joins(self) -> UUID:
        return self.make_user()

    @rule(target=tracks, size=st.integers(1, 3), capacity=st.none() | st.integers(1, 2))
    def somebody_writes_a_track(self, size: int, capacity: int | None) -> UUID:
        drafts = [catalog.LessonDraft(f"Lesson {n}", "…", 10) for n in range(size)]
        track = catalog.create_track_with_lessons(
            self.session, self.author, catalog.TrackDraft("T", capacity=capacity), drafts
        )
        self.model_tracks[track.id] = ModelTrack([x.id for x in track.lessons], capacity)
        return track.id

    @rule(track=tracks, publish=st.booleans())
    def the_author_publishes_or_withdraws(self, track: UUID, publish: bool) -> None:
        work = catalog.publish_track if publish else catalog.withdraw_track
        work(self.session, track)
        self.model_tracks[track].is_published = publish

    @rule(person=people, track=tracks)
    def somebody_enrolls(self, person: UUID, track: UUID) -> None:
        model = self.model_tracks[track]
        active = sum(
            enrollment.status == "active"
            for (_, other), enrollment in self.model_enrollments.items()
            if other == track
        )
        if not model.is_published:
            expected = "NotAvailable"
        elif (person, track) in self.model_enrollments:
            expected = "AlreadyEnrolled"
        elif model.capacity is not None and active >= model.capacity:
            expected = "TrackFull"
        else:
            expected = "done"
            self.model_enrollments[person, track] = ModelEnrollment()
        assert self.outcome(learning.enroll, person, track) == expected

    @rule(person=people, track=tracks, place=st.integers(0, 2), minutes=st.integers(0, 90))
    def somebody_completes_a_lesson(
        self, person: UUID, track: UUID, place: int, minutes: int
    ) -> None:
        model = self.model_tracks[track]
        lesson = model.lessons[place % len(model.lessons)]
        enrollment = self.model_enrollments.get((person, track))
        allowed = enrollment is not None and enrollment.status != "cancelled"
        if enrollment is not None and allowed:
            enrollment.completed.add(lesson)
            enrollment.minutes[lesson] = enrollment.minutes.get(lesson, 0) + minutes
            if enrollment.completed == set(model.lessons):
                enrollment.status = "completed"
                self.certified.add((person, track))

        def complete(session: Session) -> None:
            learning.complete_lesson(session, person, lesson, minutes=minutes)

        assert self.outcome(complete) == ("done" if allowed else "NotEnrolled")

    @rule(person=people, track=tracks)
    def somebody_cancels(self, person: UUID, track: UUID) -> None:
        enrollment = self.model_enrollments.get((person, track))
        if enrollment is None:
            expected = "NotEnrolled"
        elif enrollment.status == "completed":
            expected = "InvalidTransition"
        else:
            expected, enrollment.status = "done", "cancelled"
        assert self.outcome(learning.cancel_enrollment, person, track) == expected

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if not hasattr(self, "connection"):
            return
        self.session.expire_all()
        assert self.session.scalar(text("SELECT count(*) FROM enrollments")) == len(
            self.model_enrollments
        )
        for (person, track), model in self.model_enrollments.items():
            found = enrollments.get(self.session, person, track)
            assert found is not None
            assert found.progress is not None
            assert found.status == model.status
            assert found.progress.completed_lessons == len(model.completed)
            assert found.progress.total_lessons == len(self.model_tracks[track].lessons)
            records = progress.of_user(self.session, person, track_id=track)
            assert {r.lesson_id for r in records} == set(self.model_tracks[track].lessons)
            assert {r.lesson_id for r in records if r.completed} == model.completed
            for record in records:
                assert record.time_spent_minutes == model.minutes.get(record.lesson_id, 0)
        issued = {
            (person, certificate.track_id)
            for person in {person for person, _ in self.model_enrollments}
            for certificate in certificates.of_user(self.session, person)
        }
        assert issued == self.certified


@pytest.fixture
def machine(shared_engine: Engine) -> Iterator[type[Learning]]:
    Learning.engine = shared_engine
    yield Learning
    del Learning.engine


def test_the_services_do_what_the_model_does(machine: type[Learning]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
