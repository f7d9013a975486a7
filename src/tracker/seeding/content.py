"""The tracks of the demo data: what they teach, by whom, and how long each lesson takes."""

from dataclasses import dataclass

from tracker.models import Difficulty


@dataclass(frozen=True)
class DemoLesson:
    """A lesson: its title, minutes, and first paragraph."""

    title: str
    minutes: int
    content: str


@dataclass(frozen=True)
class DemoTrack:
    """A track. The author is named by username."""

    title: str
    author: str
    difficulty: Difficulty
    hours: int
    tags: tuple[str, ...]
    description: str
    lessons: tuple[DemoLesson, ...]
    is_published: bool = True
    price_cents: int = 0


TRACKS = (
    DemoTrack(
        "SQL from the first query",
        "alice",
        Difficulty.BEGINNER,
        6,
        ("sql", "postgresql", "basics"),
        "Ask a database questions, and know when its answer is not what you asked for.",
        (
            DemoLesson(
                "Rows, columns, tables", 30, "A table is a promise: every row has the same columns."
            ),
            DemoLesson(
                "SELECT and WHERE",
                45,
                "Say which rows you want; the server decides how to find them.",
            ),
            DemoLesson(
                "NULL is not a value", 40, "NULL means unknown, and unknown = unknown is unknown."
            ),
            DemoLesson(
                "Joins",
                60,
                "Two tables meet where a condition holds, and rows may meet more than once.",
            ),
            DemoLesson("GROUP BY", 55, "Decide first what one row of the answer stands for."),
        ),
    ),
    DemoTrack(
        "Python basics",
        "alice",
        Difficulty.BEGINNER,
        10,
        ("python", "programming", "basics"),
        "Names, functions and collections, with a program that works at the end of every lesson.",
        (
            DemoLesson(
                "Names and values",
                45,
                "A name points at a value; assignment moves the name, not the value.",
            ),
            DemoLesson(
                "Functions and scope",
                60,
                "A function is a name for a piece of work that you can repeat.",
            ),
            DemoLesson(
                "Lists and dictionaries",
                50,
                "Choose by the question that you will ask: which place, or which key?",
            ),
            DemoLesson(
                "Errors and how to read them", 35, "Read a traceback from its last line upwards."
            ),
        ),
    ),
    DemoTrack(
        "Data modeling",
        "ingrid",
        Difficulty.INTERMEDIATE,
        8,
        ("sql", "modeling", "postgresql"),
        "Turn what people say about their work into tables that cannot hold nonsense.",
        (
            DemoLesson("One fact, one place", 50, "What is stored twice will one day differ."),
            DemoLesson("Keys", 45, "A key says what makes two rows two things."),
            DemoLesson(
                "Many to many",
                40,
                "The link is a thing of its own, and soon it has data of its own.",
            ),
            DemoLesson(
                "Constraints",
                55,
                "A rule in the database holds for every program, also tomorrow's.",
            ),
            DemoLesson(
                "When to store it twice",
                35,
                "Measure first, then write down who keeps the copies equal.",
            ),
        ),
    ),
    DemoTrack(
        "Transactions and isolation",
        "ingrid",
        Difficulty.ADVANCED,
        7,
        ("postgresql", "transactions", "concurrency"),
        "What two people see who change the same data in the same second.",
        (
            DemoLesson(
                "All or nothing", 40, "Between BEGIN and COMMIT the world has not changed yet."
            ),
            DemoLesson("What others see", 55, "Each isolation level is a promise about surprises."),
            DemoLesson(
                "Locks and waiting", 60, "A lock is a queue; a deadlock is two queues in a ring."
            ),
            DemoLesson(
                "Try again", 45, "A serialization failure is an invitation to repeat the work."
            ),
        ),
        price_cents=4900,
    ),
    DemoTrack(
        "Indexes that earn their keep",
        "alice",
        Difficulty.ADVANCED,
        5,
        ("postgresql", "performance"),
        "Read a plan, add the index that it asks for, and take away the one that nobody uses.",
        (
            DemoLesson(
                "Reading EXPLAIN",
                50,
                "A plan is a tree: the leaves read tables, the root gives you rows.",
            ),
            DemoLesson(
                "B-trees", 45, "Sorted data answers equality, ranges and order, from the left."
            ),
            DemoLesson(
                "Partial and covering", 40, "An index may leave out rows that no query wants."
            ),
            DemoLesson(
                "The price of an index", 35, "Every index makes every write a little slower."
            ),
        ),
    ),
    DemoTrack(
        "Caching without regret",
        "ingrid",
        Difficulty.ADVANCED,
        4,
        ("performance", "caching"),
        "A draft: when a copy of an answer is good enough, and for how long.",
        (
            DemoLesson(
                "Stale is a decision", 30, "Say how old an answer may be before you store it."
            ),
            DemoLesson(
                "Invalidation", 45, "Who changes the data must also know which answers it spoils."
            ),
        ),
        is_published=False,
    ),
)
