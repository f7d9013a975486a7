"""The rows of the large demo data, a stream for each table."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from tracker.models import Difficulty, EnrollmentStatus, PaymentStatus, QuestionKind, Role
from tracker.repositories.certificates import NUMBER_ALPHABET, certificate_number
from tracker.seeding import phrases
from tracker.seeding.people import FIRST_NAMES, LAST_NAMES
from tracker.seeding.rows import Row, demo_password_hash, identifier, new_row, random_for
from tracker.seeding.school import FOUNDED, LESSONS, MODULES, QUESTIONS, School, Taken
from tracker.slugs import slugify

Stream = Callable[[School], Iterator[Row]]


def organizations(school: School) -> Iterator[Row]:
    for number, branch_id in enumerate(school.branches, start=1):
        slug = f"branch-{number:02}"
        yield _row(branch_id, FOUNDED, name=f"Branch {number}", slug=slug, domain=f"{slug}.example")


def users(school: School) -> Iterator[Row]:
    """All have the demo password, hashed once: to hash it 50,000 times would take half an hour."""
    random = random_for(school.number, "large", "users")
    password_hash = demo_password_hash(school.number)
    branches = [*school.branches, *[None] * 30]
    for index, member in enumerate(school.members):
        username = f"member{index:06}"
        yield _row(
            member.id,
            member.joined,
            email=f"{username}@example.com",
            username=username,
            password_hash=password_hash,
            first_name=random.choice(FIRST_NAMES),
            last_name=random.choice(LAST_NAMES),
            role=member.role,
            is_active=random.random() < 0.97 or member.role is Role.ADMIN,
            organization_id=random.choice(branches),
        )


def tracks(school: School) -> Iterator[Row]:
    random = random_for(school.number, "large", "tracks")
    authors = [member.id for member in school.members if member.role is Role.INSTRUCTOR]
    for index, track in enumerate(school.catalog):
        yield _row(
            track.id,
            track.written,
            title=track.title,
            description=phrases.text(random, 3),
            difficulty=random.choice(list(Difficulty)),
            slug=f"{slugify(track.title)}-{index:04}",
            category=phrases.TOPICS[index % len(phrases.TOPICS)],
            price_cents=track.price_cents,
            tags=sorted({phrases.term(random) for _ in range(4)}),
            estimated_hours=random.randint(5, 40),
            is_published=track.is_published,
            published_at=track.written if track.is_published else None,
            is_featured=random.random() < 0.02,
            author_id=random.choice(authors),
        )


def modules(school: School) -> Iterator[Row]:
    for track in school.catalog:
        for position, module_id in enumerate(track.module_ids, start=1):
            yield _row(
                module_id,
                track.written,
                title=f"Part {position}",
                position=position,
                track_id=track.id,
            )


def lessons(school: School) -> Iterator[Row]:
    random = random_for(school.number, "large", "lessons")
    for track in school.catalog:
        for index, lesson_id in enumerate(track.lesson_ids):
            yield _row(
                lesson_id,
                track.written,
                title=f"The {phrases.term(random)} and the {phrases.term(random)}",
                content=phrases.text(random, 5),
                duration_minutes=random.randint(10, 60),
                position=index + 1,
                is_preview=index == 0,
                is_published=track.is_published,
                track_id=track.id,
                module_id=track.module_ids[index * MODULES // LESSONS],
            )


def quizzes(school: School) -> Iterator[Row]:
    for track in school.catalog:
        title = f"What stays of {track.title}"
        yield _row(track.quiz_id, track.written, title=title, track_id=track.id)


def questions(school: School) -> Iterator[Row]:
    random = random_for(school.number, "large", "questions")
    for track in school.catalog:
        for position, question_id in enumerate(track.question_ids, start=1):
            yield _row(
                question_id,
                track.written,
                kind=QuestionKind.TRUE_FALSE,
                prompt=f"True or false? {phrases.text(random, 1)}",
                correct_answer="true",
                position=position,
                quiz_id=track.quiz_id,
            )


def enrollments(school: School) -> Iterator[Row]:
    return _of_each_taken(
        school,
        "enrollments",
        lambda taken: {
            "status": taken.status,
            "enrolled_at": taken.at,
            "completed_at": taken.completed_at,
            "expires_at": taken.expires_at,
        },
    )


def track_progress(school: School) -> Iterator[Row]:
    return _of_each_taken(
        school,
        "track_progress",
        lambda taken: {
            "completed_lessons": taken.finished,
            "total_lessons": LESSONS,
            "started_at": taken.at,
            "last_accessed_at": taken.last,
            "completed_at": taken.completed_at,
        },
    )


def _of_each_taken(
    school: School, table: str, columns: Callable[[Taken], dict[str, Any]]
) -> Iterator[Row]:
    """One row for each track that somebody takes."""
    random = random_for(school.number, "large", table)
    for taken in school.taken:
        yield {
            "id": identifier(random, taken.at),
            "user_id": taken.user_id,
            "track_id": taken.track.id,
            **columns(taken),
            "created_at": taken.at,
            "updated_at": taken.last,
        }


def certificates(school: School) -> Iterator[Row]:
    random = random_for(school.number, "large", "certificates")
    for taken in school.taken:
        if taken.completed_at:
            body = "".join(random.choices(NUMBER_ALPHABET, k=9))
            yield new_row(
                random,
                taken.completed_at,
                user_id=taken.user_id,
                track_id=taken.track.id,
                track_title=taken.track.title,
                number=certificate_number(body),
                issued_at=taken.completed_at,
            )


def payments(school: School) -> Iterator[Row]:
    """Who takes a track that costs something has paid for it, a few of them at the second try."""
    random = random_for(school.number, "large", "payments")
    for taken in school.taken:
        if not taken.track.price_cents:
            continue
        if random.random() < 0.08:
            yield _payment(random, taken, minutes_before=9, status=PaymentStatus.FAILED)
        refunded = taken.status is EnrollmentStatus.CANCELLED
        status = PaymentStatus.REFUNDED if refunded else PaymentStatus.COMPLETED
        yield _payment(random, taken, minutes_before=1, status=status)
        if random.random() < 0.01:  # paid a second time by mistake; nobody has heard of it yet
            yield _payment(random, taken, minutes_before=0, status=PaymentStatus.PENDING)


def _payment(random: Random, taken: Taken, *, minutes_before: int, status: PaymentStatus) -> Row:
    moment = taken.at - timedelta(minutes=minutes_before)
    arrived = status in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
    failed, refunded = status is PaymentStatus.FAILED, status is PaymentStatus.REFUNDED
    return new_row(
        random,
        moment,
        user_id=taken.user_id,
        track_id=taken.track.id,
        track_title=taken.track.title,
        amount_cents=taken.track.price_cents,
        currency="USD",
        status=status,
        provider="demo",
        provider_payment_id=f"large-{random.getrandbits(64):016x}",
        failure_reason="The card was declined." if failed else None,
        completed_at=moment if arrived else None,
        refunded_at=taken.last + timedelta(hours=1) if refunded else None,
    )


def quiz_attempts(school: School) -> Iterator[Row]:
    """Who completes a track takes its quiz: four of five answers pass, if need be later."""
    random = random_for(school.number, "large", "quiz_attempts")
    for taken in school.taken:
        if not taken.completed_at:
            continue
        rights = [random.randint(1, 3)] if random.random() < 0.3 else []
        for attempt, right in enumerate([*rights, random.randint(4, QUESTIONS)], start=1):
            answers = {
                str(question_id): "true" if place < right else "false"
                for place, question_id in enumerate(taken.track.question_ids)
            }
            started_at = taken.completed_at + timedelta(hours=attempt)
            yield {
                "id": identifier(random, started_at),
                "number": attempt,
                "answers": answers,
                "score": Decimal(100 * right) / QUESTIONS,
                "passed": right > 3,
                "started_at": started_at,
                "completed_at": started_at + timedelta(minutes=random.randint(3, 15)),
                "quiz_id": taken.track.quiz_id,
                "user_id": taken.user_id,
            }


# All but the progress by lesson, which is so much more that it has a stream of another kind. In an
# order in which nothing is referred to before it is there.
STREAMS: dict[str, Stream] = {
    stream.__name__: stream
    for stream in (
        organizations,
        users,
        tracks,
        modules,
        lessons,
        quizzes,
        questions,
        enrollments,
        track_progress,
        certificates,
        payments,
        quiz_attempts,
    )
}


def _row(row_id: UUID, created_at: datetime, **columns: Any) -> Row:
    return {"id": row_id, **columns, "created_at": created_at, "updated_at": created_at}
