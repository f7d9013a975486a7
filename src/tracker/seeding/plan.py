"""From a number to rows: the demo data as plain dictionaries, before any database is asked."""

from dataclasses import dataclass

from tracker.models import Role
from tracker.seeding.catalog import add_organizations, add_quiz, add_track, add_users
from tracker.seeding.content import TRACKS
from tracker.seeding.history import add_history
from tracker.seeding.people import CAST, learners
from tracker.seeding.quizzes import QUIZZES
from tracker.seeding.rows import Plan


@dataclass(frozen=True)
class Size:
    """How many learners there are besides the cast."""

    learners: int


def make_plan(number: int, size: Size) -> Plan:
    """Return the demo data that belongs to a number: always the same, on every machine.

    What a smaller size has, a larger one has too.
    """
    plan = Plan()
    people = [*CAST, *learners(number, size.learners)]
    organizations = add_organizations(plan, number)
    users = add_users(plan, number, people, organizations)
    for track in TRACKS:
        add_track(plan, number, track, users, organizations)
    for quiz in QUIZZES:
        add_quiz(plan, number, quiz)
    for person in people:
        if person.role is Role.STUDENT:
            add_history(plan, number, person, users[person.username])
    return plan
