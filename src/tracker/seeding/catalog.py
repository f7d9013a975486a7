"""Rows of who is there and what is taught."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from tracker.models import SectionKind
from tracker.seeding.content import DemoLesson, DemoTrack
from tracker.seeding.people import ORGANIZATIONS, Person
from tracker.seeding.quizzes import DemoQuiz
from tracker.seeding.rows import UNTIL, Plan, demo_password_hash, new_row, random_for
from tracker.slugs import slugify


def add_organizations(plan: Plan, number: int) -> dict[str, UUID]:
    """Add the organizations, and return their identifiers by slug."""
    founded = UNTIL - timedelta(days=500)
    for slug, name in ORGANIZATIONS.items():
        random = random_for(number, "organization", slug)
        plan.organizations.append(
            new_row(random, founded, name=name, slug=slug, domain=f"{slug}.example")
        )
    return {row["slug"]: row["id"] for row in plan.organizations}


def add_users(
    plan: Plan, number: int, people: Iterable[Person], organizations: Mapping[str, UUID]
) -> dict[str, UUID]:
    """Add people, and return their identifiers by username."""
    password_hash = demo_password_hash(number)
    for person in people:
        random = random_for(number, "user", person.username)
        joined = UNTIL - timedelta(minutes=random.randrange(200, 400) * 24 * 60)
        row = new_row(
            random,
            joined,
            email=person.email,
            username=person.username,
            password_hash=password_hash,
            first_name=person.first_name,
            last_name=person.last_name,
            bio=person.bio,
            role=person.role,
            is_active=person.is_active,
            organization_id=organizations.get(person.organization or ""),
        )
        plan.users.append(row)
    return {row["username"]: row["id"] for row in plan.users}


def add_track(
    plan: Plan,
    number: int,
    track: DemoTrack,
    users: Mapping[str, UUID],
    organizations: Mapping[str, UUID],
) -> None:
    """Add a track with its modules, lessons and sections."""
    random = random_for(number, "track", track.title)
    written = UNTIL - timedelta(days=random.randrange(150, 200), minutes=random.randrange(1440))
    row = new_row(
        random,
        written,
        title=track.title,
        description=track.description,
        difficulty=track.difficulty,
        tags=list(track.tags),
        estimated_hours=track.hours,
        is_published=track.is_published,
        published_at=written if track.is_published else None,
        slug=slugify(track.title),
        price_cents=track.price_cents,
        author_id=users[track.author],
        organization_id=organizations.get(track.organization or ""),
    )
    plan.tracks.append(row)
    position = 0
    for place, module in enumerate(track.modules, start=1):
        module_row = new_row(
            random_for(number, "module", track.title, module.title),
            written,
            title=module.title,
            position=place,
            track_id=row["id"],
        )
        plan.modules.append(module_row)
        for lesson in module.lessons:
            position += 1
            lesson_row = new_row(
                random_for(number, "lesson", track.title, lesson.title),
                written + timedelta(hours=position),
                title=lesson.title,
                content=lesson.content,
                duration_minutes=lesson.minutes,
                position=position,
                is_preview=position == 1,
                is_published=track.is_published,
                track_id=row["id"],
                module_id=module_row["id"],
            )
            plan.lessons.append(lesson_row)
            _add_sections(plan, number, track, lesson, lesson_row["id"])


def _add_sections(
    plan: Plan, number: int, track: DemoTrack, lesson: DemoLesson, lesson_id: UUID
) -> None:
    sections = (
        (SectionKind.TEXT, "The idea", lesson.content),
        (SectionKind.ACTIVITY, "Try it", lesson.activity),
    )
    for position, (kind, title, content) in enumerate(sections, start=1):
        plan.sections.append(
            new_row(
                random_for(number, "section", track.title, lesson.title, position),
                UNTIL - timedelta(days=145),
                title=title,
                content=content,
                kind=kind,
                position=position,
                lesson_id=lesson_id,
            )
        )


def add_quiz(plan: Plan, number: int, quiz: DemoQuiz) -> None:
    """Add a quiz with its questions, at the end of its track or of one of its modules."""
    random = random_for(number, "quiz", quiz.title)
    track = next(row for row in plan.tracks if row["title"] == quiz.track)
    modules = {row["title"]: row["id"] for row in plan.modules if row["track_id"] == track["id"]}
    row = new_row(
        random,
        track["created_at"] + timedelta(days=1),
        title=quiz.title,
        time_limit_minutes=quiz.minutes,
        passing_score=70,
        max_attempts=3,
        track_id=track["id"],
        module_id=modules[quiz.module] if quiz.module else None,
    )
    plan.quizzes.append(row)
    for position, question in enumerate(quiz.questions, start=1):
        plan.questions.append(
            new_row(
                random,
                row["created_at"],
                kind=question.kind,
                prompt=question.prompt,
                options=question.options,
                correct_answer=question.answer,
                points=1,
                position=position,
                quiz_id=row["id"],
            )
        )
