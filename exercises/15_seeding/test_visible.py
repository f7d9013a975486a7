"""What a seed must do. Your grader runs more checks than these."""

import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from grader.checks import check, hint

TABLES = ("users", "tracks", "lessons", "enrollments")
TRACKS = {
    "sql": "SQL from the first row",
    "python": "Python for analysts",
    "git": "Git without fear",
    "statistics": "Statistics by example",
    "backups": "Backups that can be restored",
    "privacy": "Privacy at work",
}
MOST_STATEMENTS = 40
# Of a hash; and of all of them, in kilobytes times rounds.
MOST_MEGABYTES, MOST_THREADS, MOST_WORK = 128, 16, 4096 * 1024
LONGEST_HASH = 500


def a_school(data, learners=40):
    """A number, and the other arguments of a seeding."""
    until = date(data.number(2020, 2030), data.number(1, 12), data.number(1, 28))
    password = f"{data.word()} {data.word()} {data.number(10, 99)}"
    return data.number(1, 10**6), {"learners": learners, "until": until, "password": password}


def attempt(session, module, number, arguments):
    """Somebody who seeds and writes down how it ended."""
    try:
        return {"answer": module.seed(session, number, **arguments)}
    except NotImplementedError:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        try:
            session.rollback()
        except Exception:
            session.invalidate()  # the connection is lost
        return {"raised": type(error).__name__, "sqlstate": getattr(cause, "sqlstate", None)}


def ending(told):
    """How it ended, in words."""
    if "raised" not in told:
        return f"returned {told.get('answer')!r}"
    return f"raised {told['raised']}" + (
        f" (SQLSTATE {told['sqlstate']})" if told.get("sqlstate") else ""
    )


def school(db, number):
    """The rows of a school, each by what it is known by, and what was drawn for it."""
    slugs = [f"{name}-{number}" for name in TRACKS]
    users = db.query(
        "SELECT email, name, joined_at FROM public.users WHERE split_part(email, '@', 2) = %s",
        [f"school{number}.example"],
    )
    tracks = db.query("SELECT slug, title FROM public.tracks WHERE slug = ANY (%s)", [slugs])
    lessons = db.query(
        "SELECT t.slug, l.position, l.title, l.minutes FROM public.lessons l"
        " JOIN public.tracks t ON t.id = l.track_id WHERE t.slug = ANY (%s)",
        [slugs],
    )
    enrollments = db.query(
        "SELECT u.email, t.slug, e.enrolled_at, e.progress FROM public.enrollments e"
        " JOIN public.users u ON u.id = e.user_id JOIN public.tracks t ON t.id = e.track_id"
        " WHERE split_part(u.email, '@', 2) = %s",
        [f"school{number}.example"],
    )
    return {
        "users": {r["email"]: (r["name"], r["joined_at"]) for r in users},
        "tracks": {r["slug"]: (r["title"],) for r in tracks},
        "lessons": {(r["slug"], r["position"]): (r["title"], r["minutes"]) for r in lessons},
        "enrollments": {
            (r["email"], r["slug"]): (r["enrolled_at"], r["progress"]) for r in enrollments
        },
    }


def shown(sent):
    """Statements for reading: of many rows in one of them the first, and no hashes."""
    return [
        replace(
            each,
            text=re.sub(r"(VALUES \([^()]*\))(?:, \([^()]*\))+", r"\1, …", each.text),
            parameters=tuple(
                "$argon2…" if str(p).startswith("$argon2") else p for p in each.parameters
            ),
        )
        for each in sent
    ]


def in_words(counts):
    """How many rows there are, or were added, by table."""
    return ", ".join(f"{table}: {counts[table]}" for table in TABLES)


def seeded(student, db, number, arguments):
    """The plain case, before a check looks at another one. Gives the rows that are there then."""
    student.call("seed", number, **arguments)
    found = school(db, number)
    least = {"users": arguments["learners"], "tracks": len(TRACKS), "lessons": 4 * len(TRACKS)}
    least["enrollments"] = arguments["learners"]
    counts = {table: len(rows) for table, rows in found.items()}
    assert all(counts[table] >= least[table] for table in TABLES), hint(
        f"Before anything special happened, school {number} was seeded with"
        f" {arguments['learners']} learners, and it is not whole.",
        question="What should be in the four tables after that, and has it been committed?",
        misconception="",
        expected=f"at least {in_words(least)}",
        actual=in_words(counts),
        show=(),
    )
    return found


def some(keys):
    """The first few of many keys."""
    texts = sorted(" ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in keys)
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def has_keys(table, found, wanted):
    """Whether a table has just these rows, as far as they are known."""
    missing, more = wanted - found, found - wanted
    told = [f"missing: {some(missing)}"] * bool(missing) + [f"too many: {some(more)}"] * bool(more)
    assert not told, hint(
        f"The rows of {table} are not those that README.md describes.",
        question="By what does README.md say that a row is known?",
        misconception="",
        expected=f"{len(wanted)} rows in {table}",
        actual="; ".join(told),
    )


@check("A school has the rows that README describes, and seed says how many it added", points=2)
def test_a_school(student, db, statements, data):
    number, arguments = a_school(data)
    learners, until = arguments["learners"], arguments["until"]
    before = db.snapshot()
    answer = student.call("seed", number, **arguments)
    found = school(db, number)
    wrote = any(statement.kind in ("INSERT", "COPY") for statement in statements.last.all)
    assert db.changes(before), hint(
        "seed returned. Seen from another session, that is from everywhere else, nothing is there.",
        question="When does what you have written become visible to others?",
        misconception="flushed-is-saved" if wrote else "",
        expected=f"{learners} learners",
        actual="no row in any table",
        show=shown(statements.last),
    )
    emails = {f"learner{n}@school{number}.example" for n in range(1, learners + 1)}
    slugs = {f"{name}-{number}" for name in TRACKS}
    has_keys("users", set(found["users"]), emails)
    has_keys("tracks", set(found["tracks"]), slugs)
    lessons_are_in_order(found, slugs)
    everybody_is_enrolled(found, emails, slugs)
    values_are_allowed(found, number, until)
    draws_are_many(found)
    counts = {table: db.count(table) for table in TABLES}
    assert answer == counts, hint(
        "The tables were empty. What seed says that it added is not what is there now.",
        question="Where does your code learn how many rows were really added?",
        misconception="",
        expected=counts,
        actual=answer,
    )


def lessons_are_in_order(found, slugs):
    places = {slug: sorted(p for s, p in found["lessons"] if s == slug) for slug in slugs}
    wrong = {s: p for s, p in places.items() if p != list(range(1, len(p) + 1))}
    assert not wrong and all(4 <= len(p) <= 9 for p in places.values()), hint(
        "A track should have 4 to 9 lessons, at the positions 1, 2, 3 and so on.",
        misconception="",
        actual="; ".join(f"{slug}: {p}" for slug, p in sorted(places.items())),
    )


def everybody_is_enrolled(found, emails, slugs):
    of_each = dict.fromkeys(emails, 0)
    for email, slug in found["enrollments"]:
        assert slug in slugs, hint(
            "A learner is enrolled in a track of another school, or of nobody's.",
            misconception="",
            actual=f"{email} in {slug}",
        )
        of_each[email] += 1
    wrong = {email for email, many in of_each.items() if not 1 <= many <= 3}
    assert not wrong, hint(
        "Each learner should be in 1 to 3 tracks of the school.",
        misconception="",
        actual=f"{some(wrong)}: {', '.join(sorted({str(of_each[e]) for e in wrong}))} tracks",
    )


def values_are_allowed(found, number, until):
    end = datetime.combine(until, time(), UTC)
    joined = {email: moment for email, (_, moment) in found["users"].items()}
    moments = [
        f"{email} joined at {moment.astimezone(UTC)}"
        for email, moment in joined.items()
        if not end - timedelta(365) <= moment < end
    ]
    moments += [
        f"{email} enrolled in {slug} at {moment.astimezone(UTC)},"
        f" and joined at {joined[email].astimezone(UTC)}"
        for (email, slug), (moment, _) in found["enrollments"].items()
        if not joined[email] <= moment <= end
    ]
    values = [
        f"the name of {email} is {name!r}"
        for email, (name, _) in found["users"].items()
        if name != name.strip() or " " not in name
    ]
    values += [
        f"the title of {slug} is {title!r}"
        for slug, (title,) in found["tracks"].items()
        if title != TRACKS[slug.removesuffix(f"-{number}")]
    ]
    values += [
        f"lesson {position} of {slug} takes {minutes} minutes"
        for (slug, position), (_, minutes) in found["lessons"].items()
        if not 5 <= minutes <= 60
    ]
    wrong = sorted(moments) + sorted(values)
    assert not wrong, hint(
        f"School {number} was seeded until {until}. Of its values, {len(wrong)} are none that"
        " README.md allows.",
        question="From which moment does your code count, and how far?"
        if moments
        else "What does the table in README.md say about this column?",
        misconception="",
        actual="; ".join(wrong[:3]),
    )


def draws_are_many(found):
    """Whether each row has draws of its own."""
    drawn = {
        "name": [name for name, _ in found["users"].values()],
        "joined_at": [moment for _, moment in found["users"].values()],
        "minutes": [minutes for _, minutes in found["lessons"].values()],
        "progress": [progress for _, progress in found["enrollments"].values()],
        "track": [slug for _, slug in found["enrollments"]],
    }
    alike = [column for column, values in drawn.items() if len(set(values)) < 3]
    assert not alike, hint(
        "Values that should be drawn anew for each row are almost all the same.",
        question="Where does your generator begin, and how often?",
        misconception="",
        actual=f"all the same: {', '.join(alike)}",
    )


def differences(first, second):
    """What two seedings of the same school have not in common, in words."""
    columns = {
        "users": ("name", "joined_at"),
        "tracks": ("title",),
        "lessons": ("title", "minutes"),
        "enrollments": ("enrolled_at", "progress"),
    }
    told = []
    for table, names in columns.items():
        one, other = first[table], second[table]
        if one.keys() != other.keys():
            told.append(f"other {table}")
            continue
        told += [
            f"another {name} in {table}"
            for place, name in enumerate(names)
            if any(one[key][place] != other[key][place] for key in one)
        ]
    return told


def empty(db):
    """A database as new, but for the next ids."""
    tables = "public.users, public.tracks, public.lessons, public.enrollments"
    with db.author() as connection:
        connection.execute(f"TRUNCATE {tables}")


@check(
    "The same number gives the same rows in another process, and another number others", points=2
)
def test_the_same_again(student, db, rivals, data):
    number, arguments = a_school(data)
    first = seeded(student, db, number, arguments)
    empty(db)
    [elsewhere] = rivals.enter(1)
    elsewhere.start("seed", number, **arguments)
    elsewhere.finish()
    told = differences(first, school(db, number))
    only_moments = all("_at in " in each for each in told)
    assert not told, hint(
        "Two processes seeded the same school with the same arguments, each into empty tables, and"
        " these are two schools. Who reports a mistake in one cannot show it in the other.",
        question="On which clock do your moments depend?"
        if only_moments
        else "From where does your code get its random values, and where does that begin?",
        misconception="" if only_moments else "demo-data-is-random",
        expected="the same rows",
        actual="; ".join(told),
        show=(),
    )
    another = seeded(student, db, number + 1, arguments)
    same = [each for each in DRAWN if drawn_as(each, first) == drawn_as(each, another)]
    assert not same, hint(
        f"The schools {number} and {number + 1} have the same draws. Who seeds another number wants"
        " another school.",
        question="Which of your draws depend on the number?",
        misconception="",
        actual=f"the same in both: {', '.join(same)}",
        show=(),
    )


DRAWN = ("names", "moments", "lessons", "enrollments")


def drawn_as(what, found):
    """Draws of a school without its number."""
    without = {  # learner7@school5.example and sql-5 in school 5
        table: {_without_number(key): values for key, values in rows.items()}
        for table, rows in found.items()
    }
    if what == "names":
        return {key: name for key, (name, _) in without["users"].items()}
    if what == "moments":
        return {key: moment for key, (_, moment) in without["users"].items()}
    return without["lessons"] if what == "lessons" else set(without["enrollments"])


def _without_number(key):
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(
        str(part).split("@")[0].rpartition("-")[0] or str(part).split("@")[0] for part in parts
    )


def ids_came_by_returning(sent):
    """Whether ids were taken from an insertion that passes over rows, and from nowhere else."""
    texts = [text.upper().lstrip() for text in sent.texts]
    return any("ON CONFLICT" in text and "RETURNING" in text for text in texts) and not any(
        text.startswith(("SELECT", "TABLE")) for text in texts
    )


@check("A second run adds nothing, changes nothing, and says so", points=2)
def test_a_second_run(student, db, statements, data):
    number, arguments = a_school(data)
    seeded(student, db, number, arguments)
    before = db.snapshot()
    told = student.drive(attempt, number, arguments)
    sent = statements.last
    misconception = ""
    if told.get("sqlstate") == "23505":
        misconception = "a-seed-runs-once"
    elif "raised" in told and ids_came_by_returning(sent):
        misconception = "nothing-done-returns-nothing"
    assert "raised" not in told, hint(
        "A school was seeded a second time, as everybody does who is not sure. That is no error.",
        question="What does your code do with a row that is there already?",
        misconception=misconception,
        expected="returned zeros",
        actual=ending(told),
        show=shown(sent),
    )
    changes = db.changes(before)
    assert not changes, hint(
        "A school was seeded a second time, and nobody had touched it. Afterwards rows are not as"
        " they were.",
        question="What is a seed to do with a row that is there already?",
        misconception="seeding-is-resetting" if is_undone(changes) else "",
        expected="no change",
        actual=what_changed(changes) if is_undone(changes) else "rows were added",
        show=shown(sent) if is_undone(changes) else (),
    )
    assert told["answer"] == dict.fromkeys(TABLES, 0), hint(
        "A school was seeded a second time. Nothing was added, and that is what seed should say.",
        question="Where does your code learn how many rows were really added?",
        misconception="",
        expected=dict.fromkeys(TABLES, 0),
        actual=told["answer"],
        show=(),
    )


def is_undone(changes):
    """Whether rows were written over or taken away, and not only added."""
    return any(change.updated or change.deleted for change in changes.values())


def what_changed(changes):
    """What became of the rows, in words."""
    parts = []
    for table in TABLES:
        if change := changes.get(table):
            many = {
                "added": len(change.inserted),
                "changed": len(change.updated),
                "deleted": len(change.deleted),
            }
            parts.append(f"{table}: " + ", ".join(f"{n} {how}" for how, n in many.items() if n))
    return "; ".join(parts)


@check("What somebody has changed since stays as they left it", points=2)
def test_edits_stay(student, db, data):
    number, arguments = a_school(data)
    found = seeded(student, db, number, arguments)
    email, slug, enrolled = min(found["users"]), min(found["tracks"]), min(found["enrollments"])
    edit(db, "UPDATE public.users SET name = %s, password_hash = %s WHERE email = %s",
         [data.text(2), data.word(), email])  # fmt: skip
    edit(db, "UPDATE public.tracks SET title = %s WHERE slug = %s", [data.text(3), slug])
    edit(db, "UPDATE public.lessons l SET title = %s, minutes = 240 FROM public.tracks t"
         " WHERE t.id = l.track_id AND t.slug = %s AND l.position = 2",
         [data.text(3), slug])  # fmt: skip
    edit(db, "UPDATE public.enrollments e SET progress = (progress + 1) %% 101"
         " FROM public.users u, public.tracks t WHERE u.id = e.user_id AND t.id = e.track_id"
         " AND u.email = %s AND t.slug = %s", list(enrolled))  # fmt: skip
    before = db.snapshot()
    told = student.drive(attempt, number, arguments)
    assert "raised" not in told, hint(
        "Somebody had changed some rows of a school. Then it was seeded again, and that failed.",
        question="What does your code do with a row that is there already?",
        misconception="",
        expected="returned",
        actual=ending(told),
        show=(),
    )
    changes = db.changes(before)
    assert not changes, hint(
        "Somebody had given a learner another name and password, a track another title, a lesson"
        " another title and length, and a learner had gone on in a track. Then the school was"
        " seeded again. Nothing was missing, and rows are not as they were.",
        question="Who may say that the rows of the seed are better than those that are there?",
        misconception="seeding-is-resetting" if is_undone(changes) else "",
        expected="no change",
        actual=what_changed(changes) if is_undone(changes) else "rows were added",
        show=(),
    )


def edit(db, statement, parameters):
    """Somebody works with the demo data."""
    with db.author() as connection:
        done = connection.execute(statement, parameters)
        assert done.rowcount == 1, hint(
            "A row that README.md describes was to be edited, and it is not there.",
            misconception="",
            actual=f"{done.rowcount} rows",
        )


def costs_of(kept):
    """What it takes to compute an argon2 hash; None where it is none."""
    try:
        return extract_parameters(kept) if len(kept) <= LONGEST_HASH else None
    except InvalidHashError:
        return None


def too_high(hashes):
    """The costs of the first hash that asks for more than there is, in words; empty for none."""
    work = 0
    for kept in hashes:
        costs = costs_of(kept)
        if costs is None:
            continue
        megabytes = costs.memory_cost // 1024
        work += costs.memory_cost * costs.time_cost
        if megabytes > MOST_MEGABYTES or costs.parallelism > MOST_THREADS or work > MOST_WORK:
            return (
                f"memory: {megabytes:,} MB, rounds: {costs.time_cost:,}, threads:"
                f" {costs.parallelism:,}, hashes: {len(hashes):,}"
            )
    return ""


@check("No password can be read in the tables, and the hashes are those of the password")
def test_passwords(student, db, data):
    number, arguments = a_school(data, learners=6)
    password = arguments["password"]
    seeded(student, db, number, arguments)
    values = {str(value) for table in TABLES for row in db.rows(table) for value in row.values()}
    assert not any(password in value for value in values), hint(
        "The password of the demo learners stands in the table, for everybody who reads it, or a"
        " backup, or a log.",
        question="For how long will nobody with a real password be in this table?",
        misconception="only-a-demo-password",
        expected="an argon2 hash",
        actual="the password itself",
        show=(),
    )
    hashes = sorted({row["password_hash"] for row in db.rows("users")})
    costs = too_high(hashes)
    assert not costs, hint(
        "To find out whether a password fits these hashes takes more than a server has for somebody"
        " who signs in.",
        question="Who waits while a hash is computed, and how many sign in at the same time?",
        misconception="",
        expected=f"at most {MOST_MEGABYTES} MB and {MOST_THREADS} threads for a hash, and in a few"
        " seconds all of them",
        actual=costs,
        show=(),
    )
    for kept in hashes:
        try:
            fits = costs_of(kept) is not None and PasswordHasher().verify(kept, password)
        except (InvalidHashError, VerificationError):
            fits = False
        quick = [name for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
                 if hashlib.new(name, password.encode()).hexdigest() == kept.lower()]  # fmt: skip
        assert fits, hint(
            "With what stands in password_hash nobody can sign in by the password that was given."
            if not quick
            else f"What stands in password_hash is {quick[0]} of the password. Who steals the table"
            " tries a billion passwords a second, and tries them on all users at once.",
            question="Which function is slow on purpose, and what else does it put into the hash?",
            misconception="any-hash-will-do" if quick else "",
            expected="an argon2 hash of the password",
            actual=quick[0] if quick else "no argon2 hash, or one of something else",
            show=(),
        )


@check(f"400 learners need at most {MOST_STATEMENTS} statements")
def test_statements(student, db, statements, data):
    number, arguments = a_school(data, learners=400)
    seeded(student, db, number, arguments)
    sent = statements.last
    assert sent.count <= MOST_STATEMENTS, hint(
        f"To seed {arguments['learners']} learners, PostgreSQL received {sent.count} statements."
        " Each is a journey, and parsed, planned and answered by itself.",
        question="Which of these statements differ only in their values?",
        misconception="one-statement-a-row",
        expected=f"at most {MOST_STATEMENTS} statements",
        actual=f"{sent.count} statements",
        show=shown(sent),
    )
