"""What becomes of a search box that is left alone: later lessons, hostile texts, nothing, many."""

from test_visible import ids_of, lessons, says, search

from grader.checks import check, hint


def a_word(data):
    return f"{data.word(2)}k"


def a_text(data, *words):
    text = [data.word(4) for _ in range(12 - len(words))]
    for place, word in enumerate(words):
        text.insert(3 * (place + 1), word)
    return " ".join(text)


def store(db, data, *lessons):
    given = ({"title": a_text(data), "content": a_text(data)} | lesson for lesson in lessons)
    return [row["id"] for row in db.insert("lessons", *given)]


def found_by(student, query, **options):
    return ids_of(student.call("find_lessons", query, **options))


def the_plain_case(student, statements, word, lesson):
    found = found_by(student, word)
    assert found == [lesson], hint(
        "One lesson has the word, and a search for the word should find this one alone.",
        question="Does the search find what it should in a simple case?",
        misconception="",
        expected="1 lesson",
        actual=lessons(len(found)),
        show=statements.last,
    )


def searched(student, statements, query, word="placeholder"):
    """The ids that a query finds; whatever it is, it is no error.

    Args:
        word: of the query, that stands in no statement where queries are values.
    """
    found, error = search(student, query)
    refused = [s for s in statements.last if s.sqlstate]
    operators = "tsquery" in error or "no escaped character" in error
    pasted = "placeholder" in error or (not operators and says(refused, word))
    assert found is not None, hint(
        f"Somebody typed {shown(query)} into the box, and got an error.",
        question="Is what somebody types a value in your statement, or a part of it?"
        if pasted
        else "Which language does to_tsquery read, and who types in it?"
        if operators
        else "Which characters can a text in PostgreSQL not hold?"
        if "\0" in query
        else "What does your program expect of a query that need not be so?",
        misconception="sql-by-paste" if pasted else "to-tsquery-takes-text" if operators else "",
        actual=error,
        show=statements.last,
    )
    return found


def shown(query):
    """A query as a sentence can hold it."""
    if len(query) > 80:
        return f"a text of {len(query)} characters"
    return repr(query) if query.strip() != query or not query.isprintable() or not query else query


def change_lessons(session, module, steps):
    """What the authors of lessons do, on the day after."""
    from sqlalchemy import text

    for statement, values in steps:
        session.execute(text(statement), values)
    session.commit()


@check("A lesson that is written or changed later is found by the words that it has then", points=3)
def test_later_lessons(student, sql, db, statements, data):
    old, new, other, title = (a_word(data) for _ in range(4))
    changed, renamed = store(
        db, data, {"content": a_text(data, old)}, {"title": a_text(data, f"{other}ing")}
    )
    sql.run("prepare.sql")
    found = found_by(student, old)
    assert found == [changed], hint(
        "One lesson has the word, and a search for the word should find this one alone.",
        question="Does the search find what it should in a simple case?",
        misconception="",
        actual=lessons(len(found)),
        show=statements.last,
    )
    added = "INSERT INTO lessons (id, title, content) VALUES (:id, :title, :content)"
    written = {"id": renamed + 1, "title": a_text(data), "content": a_text(data, new)}
    steps = [
        [added, written],
        ["UPDATE lessons SET content = :c WHERE id = :id", {"c": a_text(data, new), "id": changed}],
        ["UPDATE lessons SET title = :t WHERE id = :id", {"t": a_text(data, title), "id": renamed}],
    ]
    student.drive(change_lessons, steps)
    assert db.one("lessons", id=renamed)["title"] == steps[-1][1]["t"], hint(
        "An author gave a lesson another title, and that was not stored.",
        question="What do your triggers and rules do to a row that somebody stores?",
    )
    for word, wanted, what in (
        (
            new,
            {written["id"], changed},
            "One lesson was written and one was changed after prepare.sql had run, and both have"
            f" {new} in them.",
        ),
        (title, {renamed}, f"A lesson has a new title, with {title} in it."),
        (old, set(), f"A lesson had {old} in its content, and has other words now."),
        (other, set(), f"A lesson had {other}ing in its title, and has another title now."),
    ):
        found = set(found_by(student, word))
        assert found == wanted, hint(
            f"{what} The search for {word} finds {lessons(len(found))}: it knows them as they were"
            " when prepare.sql ran.",
            question="Who brings what you have stored up to date, when an author writes?",
            misconception="vector-filled-once",
            expected=lessons(len(wanted)),
            actual=lessons(len(found)),
            show=statements.last,
        )


@check("What somebody types is never a part of the SQL", points=2)
def test_nothing_is_sql(student, sql, db, statements, data):
    word, nowhere = a_word(data), a_word(data)
    [lesson] = store(db, data, {"content": a_text(data, word)})
    sql.run("prepare.sql")
    before = db.count("lessons")
    the_plain_case(student, statements, word, lesson)
    queries = [
        f"{nowhere}') OR true --",
        f"{nowhere}' OR 'x'='x",
        f"{nowhere}%' OR is_published --",
        f"{nowhere}'); DROP TABLE lessons; --",
        f"{nowhere} %s %(query)s :query $1 {{0}}",
        f"{nowhere}\\' OR true --",
    ]
    for query in queries:
        found = searched(student, statements, query, nowhere)
        pasted = says(statements.last, nowhere)
        assert not found, hint(
            f"No lesson has the word {nowhere}. Somebody typed {query} and was shown"
            f" {lessons(len(found))}"
            + (": the query was read as SQL. The next one reads the passwords." if pasted else "."),
            question="Is what somebody types a value in your statement, or a part of it?"
            if pasted
            else "Must a lesson have one of the words, or all of them?",
            misconception="sql-by-paste" if pasted else "",
            expected="nothing is found",
            actual=lessons(len(found)),
            show=statements.last,
        )
    assert db.count("lessons") == before, hint(
        "Somebody typed SQL into the box, and lessons are gone.",
        question="Is what somebody types a value in your statement, or a part of it?",
        misconception="sql-by-paste",
    )


@check("Nothing, nonsense, NUL and ten thousand letters are searches like any other", points=2)
def test_hostile_queries(student, sql, db, statements, data):
    word, other = a_word(data), a_word(data)
    [lesson] = store(db, data, {"content": a_text(data, word, other)})
    sql.run("prepare.sql")
    the_plain_case(student, statements, word, lesson)
    empty = ["", " \t\n", "the of and", '"', "%", "_", "\\", "'", "|", "((", "<->", "\0"]
    long = [f"{word}{'a' * 9_000}", " ".join(a_word(data) for _ in range(1_000))]
    odd = ["-", "--", "a & | b", "/* */", "\N{GRINNING FACE}", f"{word} -"]
    for query in [*empty, *long]:
        found = searched(student, statements, query)
        assert not found, hint(
            f"Somebody typed {shown(query)}, in which there is no word of any lesson, and was shown"
            f" {lessons(len(found))}.",
            question="What is left of this query when everything is taken away that is no word?",
            expected="nothing is found",
            actual=lessons(len(found)),
            show=statements.last,
        )
    for query in odd:
        searched(student, statements, query)
    query = f"{word}\0{other}"
    found = searched(student, statements, query)
    assert found == [lesson], hint(
        f"Somebody typed {shown(query)}: two words and the character NUL, which counts as a space."
        " The lesson that has both was not found.",
        question="What becomes of the words on both sides of it?",
        expected="1 lesson",
        actual=lessons(len(found)),
        show=statements.last,
    )


@check("A lesson that is not written yet is found by its title")
def test_lessons_without_content(student, sql, db, statements, data):
    word = a_word(data)
    stored = store(
        db, data, {"title": a_text(data, word), "content": None}, {"title": a_text(data, word)}
    )
    sql.run("prepare.sql")
    found = found_by(student, word)
    assert stored[1] in found, hint(
        "A lesson has the word in its title, and was not found.",
        question="Does the search find what it should in a simple case?",
        show=statements.last,
    )
    assert sorted(found) == stored, hint(
        "Two lessons have the word in their titles. One of them is not written yet, so its content"
        " is NULL, and it was not found: it is lost until somebody writes it.",
        question="What is 'a title' || NULL?",
        misconception="null-in-concatenation",
        expected="2 lessons",
        actual=lessons(len(found)),
        show=statements.last,
    )


@check("Only lessons that are published now are found")
def test_unpublished_lessons(student, sql, db, statements, data):
    word = a_word(data)
    hidden = {"is_published": False}
    public, *others = store(
        db,
        data,
        {"content": a_text(data, word)},
        hidden | {"content": a_text(data, word)},
        hidden | {"title": a_text(data, word)},
        hidden | {"title": a_text(data, word), "content": a_text(data, word)},
    )
    sql.run("prepare.sql")
    found = found_by(student, word)
    assert public in found, hint(
        "A published lesson has the word, and was not found.",
        question="Does the search find what it should in a simple case?",
        show=statements.last,
    )
    leaked = [lesson for lesson in others if lesson in found]
    some = 0 < len(leaked) < len(others)
    assert not leaked, hint(
        f"Three lessons that nobody should see yet have the word, and {len(leaked)} of them were"
        " found" + (", by one of title and content and not by the other." if some else "."),
        question="Which of AND and OR comes first, where both stand in one condition?"
        if some
        else "Which lessons may everybody see?",
        misconception="and-or-precedence" if some else "",
        expected="1 lesson",
        actual=lessons(len(found)),
        show=statements.last,
    )
    publish = "UPDATE lessons SET is_published = NOT is_published WHERE id IN (:one, :other)"
    student.drive(change_lessons, [[publish, {"one": public, "other": others[0]}]])
    found = found_by(student, word)
    assert found == others[:1], hint(
        "A lesson was published, and another one was withdrawn. The search should find the first"
        " one and not the second.",
        question="When does your search look whether a lesson is published?",
        expected="the lesson that is published now",
        actual=lessons(len(found))
        + (", and the withdrawn one among them" if public in found else ""),
        show=statements.last,
    )


@check("At most limit lessons are found: the best, and of equal ones those with smaller ids")
def test_limit(student, sql, db, statements, data):
    word = a_word(data)
    content = a_text(data, word)
    ids = list(range(6_000, 6_012))
    data.rng.shuffle(ids)
    alike = ({"id": n, "title": a_text(data), "content": content} for n in ids)
    better = {"id": 6_100, "title": a_text(data, word), "content": a_text(data, word, word)}
    *_, best = store(db, data, *alike, better)
    sql.run("prepare.sql")
    ids.sort()
    for options, wanted in (({}, 10), ({"limit": 4}, 4), ({"limit": 1}, 1), ({"limit": 50}, 13)):
        found = found_by(student, word, **options)
        asked = f"at most {options['limit']}" if options else "no number"
        assert len(found) == wanted, hint(
            f"Thirteen lessons have the word, {asked} was asked for, and {len(found)} were found.",
            question="How many are asked for where nobody says how many?",
            expected=wanted,
            actual=len(found),
            show=statements.last,
        )
        unranked = not says(statements.last, "rank")
        assert found[0] == best, hint(
            "Thirteen lessons have the word, and one has it in its title, too. Of the"
            f" {wanted} that were found, this one is not the first.",
            question="In which order do rows come that match alike?"
            if unranked
            else "What happens first in your statement: the order, or the limit?",
            misconception="matching-is-not-ranking" if unranked else "",
            expected=f"lesson {best} first",
            actual=found,
            show=statements.last,
        )
        assert found[1:] == ids[: wanted - 1], hint(
            "Twelve lessons are equally good, and should come in the order of their ids: in any"
            " other, a lesson can be on two pages, or on none.",
            question="What is the order of rows that are equal in everything that you sort by?",
            expected=[best, *ids[: wanted - 1]],
            actual=found,
            show=statements.last,
        )
