"""What people expect of a search box. Your grader runs more checks than these."""

from grader.checks import check, hint

OLD_LESSONS = 2_000


def a_word(data):
    """A made-up word of which English makes forms by -s, -ing and -ed."""
    return f"{data.word(2)}k"


def a_text(data, *words):
    """Twelve words, these ones somewhere in the middle and apart from each other."""
    text = [data.word(4) for _ in range(12 - len(words))]
    for place, word in enumerate(words):
        text.insert(3 * (place + 1), word)
    return " ".join(text)


def store(db, data, *lessons):
    """Store lessons, each a dict of what matters in it; the rest is made up."""
    given = ({"title": a_text(data), "content": a_text(data)} | lesson for lesson in lessons)
    return [row["id"] for row in db.insert("lessons", *given)]


def found_by(student, query, **options):
    """The ids that a query finds, in their order."""
    return ids_of(student.call("find_lessons", query, **options))


def ids_of(answer):
    shaped = isinstance(answer, list) and all(
        isinstance(row, dict) and isinstance(row.get("id"), int) and "title" in row
        for row in answer
    )
    assert shaped, hint(
        "find_lessons should return a list of rows with id and title.",
        question="Which keys does the README ask for?",
        misconception="",
        actual=answer,
    )
    return [row["id"] for row in answer]


def search_once(session, module, query):
    """Search; what was found, or what was raised."""
    try:
        return ["found", list(module.find_lessons(session, query))]
    except Exception as error:
        session.rollback()
        return ["raised", str(error).splitlines()[:1]]


def search(student, query):
    """The ids that a query finds and no error; or None and the error that it was."""
    how, what = student.drive(search_once, query)
    return (None, " ".join(what)[:200]) if how == "raised" else (ids_of(what), "")


def lessons(number):
    return "1 lesson" if number == 1 else f"{number} lessons"


def told(ids, stored):
    """Which of the lessons that were stored here were found: the first, the third."""
    names = [f"lesson {stored.index(i) + 1}" if i in stored else "another lesson" for i in ids]
    return ", ".join(sorted(set(names))) or "nothing"


def says(statements, *words):
    """Whether something that was sent says one of these words."""
    sent = " ".join(s.text.lower() for s in statements)
    return any(word in sent for word in words)


@check("A lesson is found by a word of its title or content, in any form of it", points=2)
def test_one_word(student, sql, db, statements, data):
    word = a_word(data)
    texts = (
        {"title": f"{data.word(4).capitalize()} of {word}s"},
        {"content": a_text(data, f"{word}ing")},
        {"content": a_text(data, word.capitalize())},
        {"content": a_text(data, f"{data.word(2)}{word}")},
        {"content": a_text(data, f"{word}{data.word(2)}k")},
    )
    stored = store(db, data, *texts)
    sql.run("prepare.sql")
    exact = False
    for query in (word, f"{word}s", word.upper(), f"{word}ing", f"{word}ed"):
        found = found_by(student, query)
        parts = [lesson for lesson in stored[3:] if lesson in found]
        assert not parts, hint(
            f"A search for {query} found a lesson in which that is no word, but a part of one:"
            f" {texts[stored.index(parts[0])]['content']!r}. Who looks for art will find start,"
            " part and quarter.",
            question="Where does a word begin and end, for the operator that you use?",
            misconception="ilike-finds-words" if says(statements.last, "like", "~") else "",
            expected="lesson 1, lesson 2, lesson 3",
            actual=told(found, stored),
            show=statements.last,
        )
        missing = [lesson for lesson in stored[:3] if lesson not in found]
        letters = says(statements.last, "like", "~", "strpos", "position(")
        exact = exact or (query == word and stored[2] in found)
        words = exact and not letters and says(statements.last, "tsquery")
        assert not missing, hint(
            f"Three lessons were stored: with {word}s in the title, with {word}ing in the content,"
            f" and with {word.capitalize()}. A search for {query} found {told(found, stored)}.",
            question="Into what does your query make this word, and into what were the words of the"
            " lessons made?"
            if words
            else "What have index, indexes and indexing in common, for a program that knows no"
            " English?"
            if exact
            else "Which columns does your search look at?",
            misconception="two-configurations"
            if words
            else "ilike-finds-words"
            if letters and exact
            else "",
            expected="lesson 1, lesson 2, lesson 3",
            actual=told(found, stored),
            show=statements.last,
        )
        assert len(found) == len(stored[:3]), hint(
            f"A search for {query} should find three lessons, each once.",
            expected="3 lessons",
            actual=lessons(len(found)),
            show=statements.last,
        )


@check("All words must be there; in quotes side by side; and none with a minus", points=2)
def test_several_words(student, sql, db, statements, data):
    one, two = a_word(data), a_word(data)
    stored = store(
        db,
        data,
        {"content": f"{a_text(data)} {one} {two} {a_text(data)}"},
        {"title": f"{data.word(4)} {two}", "content": a_text(data, one)},
        {"content": a_text(data, one)},
        {"content": a_text(data, two)},
    )
    sql.run("prepare.sql")
    queries = {
        f"{one} {two}": (0, 1),
        f"{two}s {one}": (0, 1),
        f'"{one} {two}"': (0,),
        f"{one} -{two}": (2,),
    }
    for query, places in queries.items():
        found, error = search(student, query)
        operators = "tsquery" in error
        assert found is not None, hint(
            f"Somebody typed {query}, and instead of lessons there was an error.",
            question="Which language does to_tsquery read, and who types in it?"
            if operators
            else "What became of the query on its way to PostgreSQL?",
            misconception="to-tsquery-takes-text" if operators else "",
            actual=error,
            show=statements.last,
        )
        wanted = [stored[place] for place in places]
        assert sorted(found) == sorted(wanted), hint(
            f"One lesson has {one} and {two} side by side, one has both apart, one has only {one},"
            f" and one only {two}. A search for {query} found {told(found, stored)}.",
            question="What do the quotes and the minus mean, and who reads them?"
            if '"' in query or "-" in query
            else "Must a lesson have one of the words, or all of them, and where?",
            expected=told(wanted, stored),
            actual=told(found, stored),
            show=statements.last,
        )


@check(
    "Lessons with the word in the title come first, then those that have it most often", points=2
)
def test_the_best_come_first(student, sql, db, statements, data):
    word = a_word(data)
    once, title, twice = store(
        db,
        data,
        {"title": a_text(data), "content": a_text(data, word)},
        {"title": a_text(data, word), "content": a_text(data)},
        {"title": a_text(data), "content": a_text(data, word, word)},
    )
    sql.run("prepare.sql")
    found = found_by(student, word)
    names = {once: "once in the content", title: "in the title", twice: "twice in the content"}
    assert sorted(found) == sorted(names), hint(
        "Three lessons have the word, and the search should find just these three.",
        expected=", ".join(names.values()),
        actual=", ".join(names.get(lesson, "another lesson") for lesson in found) or "nothing",
        show=statements.last,
    )
    unweighted = found in ([twice, title, once], [twice, once, title])
    unranked = not says(statements.last, "rank")
    assert found == [title, twice, once], hint(
        "Three lessons have the word. The one that is about it, with the word in its title, is"
        f" number {found.index(title) + 1}, and the one that mentions it once is number"
        f" {found.index(once) + 1}. Who looks only at the first one has searched in vain.",
        question="In which order do rows come that match alike?"
        if unranked
        else "How does ts_rank know that a word stood in the title?",
        misconception="matching-is-not-ranking"
        if unranked
        else "every-word-weighs-the-same"
        if unweighted
        else "",
        expected=", ".join(names[lesson] for lesson in (title, twice, once)),
        actual=", ".join(names[lesson] for lesson in found),
        show=statements.last,
    )


@check("A search reads the lessons that it finds, and not the two thousand others", points=2)
def test_a_search_looks_up(student, sql, db, plan, *, statements, data):
    word = a_word(data)
    stored = store(db, data, *({"content": a_text(data, word)} for _ in range(3)))
    sql.run("prepare.sql")
    plan.refresh_statistics(vacuum=True)
    found = found_by(student, word)
    assert sorted(found) == sorted(stored), hint(
        "Three lessons have the word, and the search should find just these three.",
        expected=told(stored, stored),
        actual=told(found, stored),
        show=statements.last,
    )
    plans = plan.last(analyze=True)
    read = sum(
        node.rows + node.rows_removed
        for seen in plans
        for node in seen.nodes
        if node.scans and node.table
    )
    pages = sum(seen.root.buffers for seen in plans)
    [size] = db.query("SELECT pg_relation_size('public.lessons') / 8192 AS pages")
    dear = [seen for seen in plans if seen.root.buffers > size["pages"] / 3] or plans
    assert read < OLD_LESSONS / 4 and pages < size["pages"] / 3, hint(
        f"To find three lessons, {f'{read:g} rows' if read > OLD_LESSONS / 4 else f'{pages} pages'}"
        f" were read, of a table with {OLD_LESSONS + 3} rows on {size['pages']} pages. With a"
        " million lessons, everybody who types a word waits for all of them.",
        question="If the lessons were a book, in which list at its end would you look the word up?",
        misconception="ilike-finds-words"
        if says(statements.last, "like", "~")
        else "no-stored-vector"
        if says(statements.last, "tsquery")
        else "",
        expected="the pages of an index, and of three lessons",
        actual=dear[0].text if dear else "no statement",
        show=statements.last,
    )


@check("Whatever somebody types, it is a search and no error", points=2)
def test_what_people_type(student, sql, db, statements, data):
    word = a_word(data)
    [lesson] = store(db, data, {"content": a_text(data, word)})
    sql.run("prepare.sql")
    assert found_by(student, word) == [lesson], hint(
        "One lesson has the word, and a search for the word alone should find it.",
        question="Does the search find what it should in a simple case?",
        show=statements.last,
    )
    queries = [
        f"{word}!",
        f"({word}",
        f'"{word}',
        f"& {word}",
        f"{word}:*",
        f"{word} ?",
        f"'{word}",
    ]
    for query in queries:
        found, error = search(student, query)
        refused = [s for s in statements.last if s.sqlstate]
        pasted = says(refused, word) and "tsquery" not in error
        assert found is not None, hint(
            f"Somebody typed {query} into the box, and got an error. A search for {word} alone"
            " works.",
            question="Is what somebody types a value in your statement, or a part of it?"
            if pasted
            else "Which language does to_tsquery read, and who types in it?"
            if "tsquery" in error
            else "What does your program expect of a query that need not be so?",
            misconception="sql-by-paste"
            if pasted
            else "to-tsquery-takes-text"
            if "tsquery" in error
            else "",
            actual=error,
            show=statements.last,
        )
        assert found == [lesson], hint(
            f"A search for {word} finds a lesson, and a search for {query} does not. Punctuation is"
            " no word.",
            question="What is left of the query when everything is taken away that is no word?",
            expected="the same lesson",
            actual=lessons(len(found)),
            show=statements.last,
        )
