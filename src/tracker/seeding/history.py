"""Rows of what learners have done."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from tracker.models import EnrollmentStatus, PaymentStatus, Question, QuestionKind
from tracker.repositories.certificates import NUMBER_ALPHABET, certificate_number
from tracker.seeding.people import Person
from tracker.seeding.rows import UNTIL, Plan, Row, identifier, new_row, random_for
from tracker.services.assessment import score_of


def add_history(plan: Plan, number: int, person: Person, user_id: UUID) -> None:
    """Enroll a learner in some tracks, and let them complete the lessons up to some point."""
    random = random_for(number, "progress", person.username)
    published = [track for track in plan.tracks if track["is_published"]]
    for track in random.sample(published, k=random.randint(1, 3)):
        lessons = [lesson for lesson in plan.lessons if lesson["track_id"] == track["id"]]
        enrolled = UNTIL - timedelta(days=random.randrange(20, 140), minutes=random.randrange(1440))
        finished = random.randint(0, len(lessons))
        if track["price_cents"]:
            _add_payment(plan, random, user_id, track, enrolled - timedelta(minutes=1))
        moment = enrolled
        for index, lesson in enumerate(lessons):
            row = new_row(
                random,
                enrolled,
                user_id=user_id,
                lesson_id=lesson["id"],
                completed=False,
                completed_at=None,
                time_spent_minutes=0,
                score=None,
                last_accessed_at=enrolled,
            )
            if index < finished:
                moment += timedelta(hours=random.randint(2, 72))
                row |= _completion(random, min(moment, UNTIL), lesson["duration_minutes"])
                _add_section_progress(plan, number, person, row)
            plan.lesson_progress.append(row)
        _add_enrollment(
            plan,
            random,
            user_id,
            track,
            enrolled=enrolled,
            last=min(moment, UNTIL),
            finished=finished,
            total=len(lessons),
        )
        if finished == len(lessons):
            last = min(moment, UNTIL)
            _add_attempts(plan, number, person, user_id, track=track, completed_at=last)


def _add_section_progress(plan: Plan, number: int, person: Person, lesson: Row) -> None:
    """Who has completed a lesson has completed its sections."""
    sections = [row for row in plan.sections if row["lesson_id"] == lesson["lesson_id"]]
    for section in sections:
        random = random_for(number, "section progress", person.username, section["id"])
        plan.section_progress.append(
            new_row(
                random,
                lesson["created_at"],
                user_id=lesson["user_id"],
                section_id=section["id"],
                completed=True,
                completed_at=lesson["completed_at"],
                time_spent_seconds=lesson["time_spent_minutes"] * 60 // len(sections),
                last_accessed_at=lesson["completed_at"],
            )
            | {"updated_at": lesson["updated_at"]}
        )


def _add_enrollment(
    plan: Plan,
    random: Random,
    user_id: UUID,
    track: Row,
    *,
    enrolled: datetime,
    last: datetime,
    finished: int,
    total: int,
) -> None:
    completed_at = last if finished == total else None
    shared = {
        "user_id": user_id,
        "track_id": track["id"],
        "completed_at": completed_at,
    }
    enrollment = new_row(
        random,
        enrolled,
        **shared,
        status=EnrollmentStatus.COMPLETED if completed_at else EnrollmentStatus.ACTIVE,
        enrolled_at=enrolled,
    )
    progress = new_row(
        random,
        enrolled,
        **shared,
        completed_lessons=finished,
        total_lessons=total,
        started_at=enrolled,
        last_accessed_at=last,
    )
    plan.enrollments.append(enrollment | {"updated_at": last})
    plan.track_progress.append(progress | {"updated_at": last})
    if completed_at:
        certificate = new_row(
            random,
            completed_at,
            user_id=user_id,
            track_id=track["id"],
            track_title=track["title"],
            number=certificate_number("".join(random.choices(NUMBER_ALPHABET, k=9))),
            issued_at=completed_at,
        )
        plan.certificates.append(certificate)


def _add_payment(plan: Plan, random: Random, user_id: UUID, track: Row, moment: datetime) -> None:
    plan.payments.append(
        new_row(
            random,
            moment,
            user_id=user_id,
            track_id=track["id"],
            track_title=track["title"],
            amount_cents=track["price_cents"],
            currency="USD",
            status=PaymentStatus.COMPLETED,
            provider="demo",
            provider_payment_id=f"demo-{random.getrandbits(64):016x}",
            completed_at=moment,
        )
    )


def _completion(random: Random, moment: datetime, minutes: int) -> Row:
    score = min(100.0, max(0.0, random.gauss(80, 12)))
    return {
        "completed": True,
        "completed_at": moment,
        "last_accessed_at": moment,
        "time_spent_minutes": round(minutes * random.uniform(0.7, 1.6)),
        "score": Decimal(round(score * 2)) / 2,  # to half a percent
        "updated_at": moment,
    }


def _add_attempts(
    plan: Plan, number: int, person: Person, user_id: UUID, *, track: Row, completed_at: datetime
) -> None:
    """Take each quiz of a track until it is passed or all attempts are used."""
    for quiz in (row for row in plan.quizzes if row["track_id"] == track["id"]):
        random = random_for(number, "attempts", person.username, quiz["title"])
        # Never in a session: only to be graded like those of a real learner.
        questions = [Question(**row) for row in plan.questions if row["quiz_id"] == quiz["id"]]
        first = min(completed_at, UNTIL - timedelta(days=1))
        for attempt in range(1, quiz["max_attempts"] + 1):
            started_at = first + attempt * timedelta(hours=2)
            answers = {question.id: _answer(random, question) for question in questions}
            score = score_of(questions, answers)
            minutes = random.randint(2, quiz["time_limit_minutes"])
            row = {
                "id": identifier(random, started_at),
                "number": attempt,
                "answers": {str(question_id): answer for question_id, answer in answers.items()},
                "score": score,
                "passed": score >= quiz["passing_score"],
                "started_at": started_at,
                "completed_at": started_at + timedelta(minutes=minutes),
                "quiz_id": quiz["id"],
                "user_id": user_id,
            }
            plan.quiz_attempts.append(row)
            if row["passed"]:
                break


def _answer(random: Random, question: Question) -> str:
    """Answer as learners do: right three times out of four."""
    if question.kind is QuestionKind.ESSAY:
        return "It depends on what is asked more often, and the server keeps them equal."
    if random.random() < 0.75 and question.correct_answer:
        return question.correct_answer
    return random.choice(question.options or ["true", "false"])
