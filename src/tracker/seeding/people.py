"""The people of the demo data: a cast with parts to play, and any number of further learners."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tracker.models import Role


@dataclass(frozen=True)
class Person:
    """A user of the demo data. The email address is in a domain that never receives mail."""

    username: str
    first_name: str
    last_name: str
    role: Role = Role.STUDENT
    bio: str | None = None
    is_active: bool = True
    organization: str | None = None  # by its slug

    @property
    def email(self) -> str:
        """The address, made from the username."""
        return f"{self.username}@example.com"


ORGANIZATIONS = {"riverside-college": "Riverside College", "fjord-institute": "Fjord Institute"}

CAST = (
    Person("ada", "Ada", "Okafor", Role.ADMIN, "Keeps the tracker running."),
    Person("alice", "Alice", "Johnson", Role.INSTRUCTOR, "Teaches SQL and Python."),
    Person(
        "ingrid",
        "Ingrid",
        "Halvorsen",
        Role.INSTRUCTOR,
        "Has lost data once, and never again.",
        organization="fjord-institute",
    ),
    Person("bob", "Bob", "Smith", bio="Learning SQL after work."),
    Person("chiara", "Chiara", "Rossi", organization="riverside-college"),
    Person("dmitri", "Dmitri", "Volkov", is_active=False),
    Person(
        "percent",
        "Percy",
        "100%_sure",
        bio="A name that tests whether search treats % as a letter.",
    ),
)

FIRST_NAMES = (
    "Amara", "Ben", "Carmen", "Daniel", "Elif", "Farid", "Grace", "Hiro", "Isabel", "Jonas",
    "Keiko", "Liam", "Maya", "Noah", "Olga", "Priya", "Quentin", "Rosa", "Sven", "Tariq",
    "Uma", "Víctor", "Wanjiru", "Xin", "Yusuf", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Bauer", "Castillo", "Dubois", "Eriksen", "Fernández", "García", "Haddad", "Ivanova",
    "Jansen", "Kimura", "Lindqvist", "Mbeki", "Nowak", "O'Brien", "Patel", "Quispe", "Rahman",
    "Silva", "Tanaka", "Usman", "Varga", "Wójcik", "Yildirim", "Zhang",
)  # fmt: skip


def learners(number: int, count: int) -> Iterator[Person]:
    """Yield so many further learners, the same ones for the same number."""
    for index in range(1, count + 1):
        random = Random(f"{number}/learner/{index}")  # noqa: S311 (names, not secrets)
        yield Person(
            username=f"learner{index:05}",
            first_name=random.choice(FIRST_NAMES),
            last_name=random.choice(LAST_NAMES),
            organization=random.choice((None, None, *ORGANIZATIONS)),
        )
