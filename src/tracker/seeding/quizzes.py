"""The quizzes of the demo data."""

from dataclasses import dataclass

from tracker.models import QuestionKind


@dataclass(frozen=True)
class DemoQuestion:
    """A question. Its kind follows from what it has: options, only an answer, or neither."""

    prompt: str
    answer: str | None = None
    options: list[str] | None = None

    @property
    def kind(self) -> QuestionKind:
        """How the question is answered."""
        if self.options:
            return QuestionKind.MULTIPLE_CHOICE
        return QuestionKind.TRUE_FALSE if self.answer else QuestionKind.ESSAY


@dataclass(frozen=True)
class DemoQuiz:
    """A quiz of a track, or of one of its modules; both are given by their titles."""

    title: str
    track: str
    questions: tuple[DemoQuestion, ...]
    module: str | None = None
    minutes: int = 20


QUIZZES = (
    DemoQuiz(
        "One table at a time",
        "SQL from the first query",
        (
            DemoQuestion("NULL = NULL is true.", "false"),
            DemoQuestion("A query without ORDER BY always gives rows in the same order.", "false"),
            DemoQuestion("Which clause says which rows you want?", "WHERE", ["SELECT", "WHERE"]),
        ),
        module="One table",
        minutes=10,
    ),
    DemoQuiz(
        "SQL: what stays",
        "SQL from the first query",
        (
            DemoQuestion(
                "An author without tracks shall be in the answer too. Which join?",
                "LEFT JOIN",
                ["JOIN", "LEFT JOIN", "CROSS JOIN"],
            ),
            DemoQuestion("count(*) counts rows in which every column is NULL.", "true"),
            DemoQuestion(
                "What filters groups?", "HAVING", ["WHERE", "HAVING", "ORDER BY", "LIMIT"]
            ),
            DemoQuestion("A join can give more rows than either table has.", "true"),
        ),
    ),
    DemoQuiz(
        "Python: what stays",
        "Python basics",
        (
            DemoQuestion("After b = a, changing the list a changes b too.", "true"),
            DemoQuestion("What finds by key?", "dictionary", ["list", "tuple", "dictionary"]),
            DemoQuestion("A traceback is best read from its first line.", "false"),
        ),
    ),
    DemoQuiz(
        "Data modeling: what stays",
        "Data modeling",
        (
            DemoQuestion(
                "A student takes many courses, a course has many students. How many tables?",
                "three",
                ["one", "two", "three"],
            ),
            DemoQuestion("A CHECK constraint holds for rows that psql writes.", "true"),
            DemoQuestion("A table may have two primary keys.", "false"),
            DemoQuestion("When would you store a fact twice, and who keeps the two equal?"),
        ),
    ),
    DemoQuiz(
        "Transactions: what stays",
        "Transactions and isolation",
        (
            DemoQuestion("What was committed survives a crash of the server.", "true"),
            DemoQuestion(
                "What does a program do on a serialization failure?",
                "try again",
                ["ignore it", "try again", "turn isolation off"],
            ),
            DemoQuestion("In PostgreSQL a reader waits for a writer of the same row.", "false"),
            DemoQuestion("Two transactions wait for each other. What will PostgreSQL do?"),
        ),
    ),
    DemoQuiz(
        "Indexes: what stays",
        "Indexes that earn their keep",
        (
            DemoQuestion(
                "Which condition can an index on (user_id, created_at) not help with?",
                "created_at = …",
                ["user_id = …", "user_id = … AND created_at > …", "created_at = …"],
            ),
            DemoQuestion("An index makes every write a little dearer.", "true"),
            DemoQuestion("The planner uses an index whenever there is one.", "false"),
        ),
    ),
)
