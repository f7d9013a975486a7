"""The tracks of the demo data: what they teach, by whom, and how long each lesson takes."""

from dataclasses import dataclass

from tracker.models import Difficulty


@dataclass(frozen=True)
class DemoLesson:
    """A lesson: its title, minutes, first paragraph, and something to try."""

    title: str
    minutes: int
    content: str
    activity: str


@dataclass(frozen=True)
class DemoModule:
    """A chapter of a track."""

    title: str
    lessons: tuple[DemoLesson, ...]


@dataclass(frozen=True)
class DemoTrack:
    """A track. The author is named by username, the organization by slug."""

    title: str
    author: str
    difficulty: Difficulty
    hours: int
    tags: tuple[str, ...]
    description: str
    modules: tuple[DemoModule, ...]
    is_published: bool = True
    price_cents: int = 0
    organization: str | None = None


TRACKS = (
    DemoTrack(
        "SQL from the first query",
        "alice",
        Difficulty.BEGINNER,
        6,
        ("sql", "postgresql", "basics"),
        "Ask a database questions, and know when its answer is not what you asked for.",
        (
            DemoModule(
                "One table",
                (
                    DemoLesson(
                        "Rows, columns, tables",
                        30,
                        "A table is a promise: every row has the same columns.",
                        "Draw the table of people you would call in an emergency.",
                    ),
                    DemoLesson(
                        "SELECT and WHERE",
                        45,
                        "Say which rows you want; the server decides how to find them.",
                        "List the tracks that take less than six hours.",
                    ),
                    DemoLesson(
                        "NULL is not a value",
                        40,
                        "NULL means unknown, and unknown = unknown is unknown.",
                        "Find who has no bio, once with = and once with IS NULL.",
                    ),
                ),
            ),
            DemoModule(
                "Many tables",
                (
                    DemoLesson(
                        "Joins",
                        60,
                        "Two tables meet where a condition holds; a row may meet several others.",
                        "Show each lesson beside the name of its author.",
                    ),
                    DemoLesson(
                        "GROUP BY",
                        55,
                        "Decide first what one row of the answer stands for.",
                        "Count the lessons of each track, tracks without lessons too.",
                    ),
                ),
            ),
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
            DemoModule(
                "Small programs",
                (
                    DemoLesson(
                        "Names and values",
                        45,
                        "A name points at a value; assignment moves the name, not the value.",
                        "Guess what b holds after b = a and a.append(1), then look.",
                    ),
                    DemoLesson(
                        "Functions and scope",
                        60,
                        "A function is a name for a piece of work that you can repeat.",
                        "Turn the price of a track into text, in one function.",
                    ),
                ),
            ),
            DemoModule(
                "Data and errors",
                (
                    DemoLesson(
                        "Lists and dictionaries",
                        50,
                        "Choose by the question that you will ask: which place, or which key?",
                        "Count how often each word stands in a sentence.",
                    ),
                    DemoLesson(
                        "Errors and how to read them",
                        35,
                        "Read a traceback from its last line upwards.",
                        "Break a working program in three ways, and name each error.",
                    ),
                ),
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
            DemoModule(
                "What a row stands for",
                (
                    DemoLesson(
                        "One fact, one place",
                        50,
                        "What is stored twice will one day differ.",
                        "Find a fact in your address book that stands there twice.",
                    ),
                    DemoLesson(
                        "Keys",
                        45,
                        "A key says what makes two rows two things.",
                        "Name two people whom a key made of name and birthday would mix up.",
                    ),
                    DemoLesson(
                        "Many to many",
                        40,
                        "The link is a thing of its own, and soon it has data of its own.",
                        "Draw tracks, learners, and what lies between them.",
                    ),
                ),
            ),
            DemoModule(
                "Rules",
                (
                    DemoLesson(
                        "Constraints",
                        55,
                        "A rule in the database holds for every program, also tomorrow's.",
                        "Write the rule that a score lies between 0 and 100, and try to break it.",
                    ),
                    DemoLesson(
                        "When to store it twice",
                        35,
                        "Measure first, then write down who keeps the copies equal.",
                        "Measure how long it takes to count all lessons of a learner.",
                    ),
                ),
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
            DemoModule(
                "Alone",
                (
                    DemoLesson(
                        "All or nothing",
                        40,
                        "Between BEGIN and COMMIT the world has not changed yet.",
                        "Move an amount from one account to another, and stop halfway.",
                    ),
                ),
            ),
            DemoModule(
                "In company",
                (
                    DemoLesson(
                        "What others see",
                        55,
                        "Each isolation level is a promise about surprises.",
                        "Open two sessions and read a row that the other one is changing.",
                    ),
                    DemoLesson(
                        "Locks and waiting",
                        60,
                        "A lock is a queue; a deadlock is two queues in a ring.",
                        "Make two sessions wait for each other, and see who is told to give up.",
                    ),
                    DemoLesson(
                        "Try again",
                        45,
                        "A serialization failure is an invitation to repeat the work.",
                        "Write the loop that repeats a transaction three times at most.",
                    ),
                ),
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
            DemoModule(
                "How the server finds rows",
                (
                    DemoLesson(
                        "Reading EXPLAIN",
                        50,
                        "A plan is a tree: the leaves read tables, the root gives you rows.",
                        "Explain the query of the catalog, and point at the node that reads most.",
                    ),
                    DemoLesson(
                        "B-trees",
                        45,
                        "Sorted data answers equality, ranges and order, from the left.",
                        "Say which of five conditions an index on two columns can answer.",
                    ),
                ),
            ),
            DemoModule(
                "Choosing well",
                (
                    DemoLesson(
                        "Partial and covering",
                        40,
                        "An index may leave out rows that no query wants.",
                        "Make the index for payments that are pending, and look at its size.",
                    ),
                    DemoLesson(
                        "The price of an index",
                        35,
                        "Every index makes every write a little slower.",
                        "Insert ten thousand rows with no index, with one, and with six.",
                    ),
                ),
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
            DemoModule(
                "Copies",
                (
                    DemoLesson(
                        "Stale is a decision",
                        30,
                        "Say how old an answer may be before you store it.",
                        "Write beside each page of a site how old it may be.",
                    ),
                    DemoLesson(
                        "Invalidation",
                        45,
                        "Who changes the data must also know which answers it spoils.",
                        "List which answers spoil when a track gets a new title.",
                    ),
                ),
            ),
        ),
        is_published=False,
        organization="fjord-institute",
    ),
)
