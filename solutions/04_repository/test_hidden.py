"""Where students do not look: odd searches, empty pages, equal moments, unknown ids."""

from datetime import timedelta
from uuid import UUID, uuid4

from test_visible import LONG_AGO, a_hash, a_user, differing, page_of

from grader.checks import Raises, check, hint


def names_of(rows, ids):
    return sorted(row["username"] for row in rows if row["id"] in ids)


@check(
    "A search for %, _ or \\ finds those characters, not everything", misconception="like-wildcards"
)
def test_wildcards_are_letters(student, db, data):
    rows = db.insert(
        "users",
        a_user(data),
        a_user(data, username=f"{data.word()}100%{data.word()}"),
        a_user(data, last_name=f"{data.word()}_{data.word()}"),
        a_user(data, first_name=f"{data.word()}\\{data.word()}"),
        a_user(data, first_name="100 percent"),
    )
    for search, hit in (("%", rows[1]), ("0%", rows[1]), ("_", rows[2]), ("\\", rows[3])):
        ids, total = page_of(student.call("list_users", search=search))
        strangers = [user_id for user_id in ids if user_id not in [row["id"] for row in rows]]
        assert not strangers, hint(
            "The list holds users who are not in the table.", misconception="", actual=strangers
        )
        assert (ids, total) == ([hit["id"]], 1), hint(
            f"Five users are stored, and one of them has {search} in a name. The search for"
            f" {search} found {total}: someone types a character, and it is read as a pattern.",
            question=f"What does {search[-1]} mean to LIKE?",
            expected=[hit["username"]],
            actual=names_of(rows, ids),
        )
    for pattern in ("%", rows[0]["username"][:-1] + "_"):
        answer = student.call("user_exists", pattern)
        assert answer is False, hint(
            f"Nobody is called {pattern}, and user_exists says that somebody is.",
            question="Which comparison treats % and _ as nothing special?",
            expected=False,
            actual=answer,
        )


def list_or_failure(session, module, text):
    """The list for a search, or the name of the database's error."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    try:
        return module.list_users(session, search=text)
    except (DBAPIError, psycopg.Error) as error:
        session.rollback()
        return type(error).__name__


@check("A search with a quote in it is a search like any other", misconception="sql-by-paste")
def test_quotes_are_letters(student, db, statements, data):
    irish, other = db.insert(
        "users", a_user(data, last_name=f"O'{data.word().capitalize()}"), a_user(data)
    )
    for search, wanted in (
        (irish["last_name"], [irish["id"]]),
        ("' OR 'a' = 'a", []),
        ("' OR true --", []),
    ):
        answer = student.drive(list_or_failure, search)
        refused = statements.last.failed
        assert not refused, hint(
            f"A search for {search} made PostgreSQL refuse the statement. The quote ended the"
            " text, and what came after it was read as SQL: whoever can search can also write"
            " SQL.",
            question="Where does your SQL end and the text from outside begin?",
            expected="a list of users",
            actual=answer,
            show=refused,
        )
        ids, total = page_of(answer)
        everybody = {irish["id"], other["id"]}
        assert (ids, total) == (wanted, len(wanted)), hint(
            f"{'One user has' if wanted else 'Nobody has'} {search} in a name. The search for it"
            f" gave {len(ids)} users and the total {total}.",
            question="Where does your SQL end and the text from outside begin?",
            misconception=None if everybody.issuperset(ids) and len(ids) > len(wanted) else "",
            expected=len(wanted),
            actual=total,
        )
    attack = "' OR 'a' = 'a"
    answer = student.call("user_exists", attack)
    assert answer is False, hint(
        f"Nobody is called {attack}, and user_exists says that somebody is: the text became part"
        " of the SQL.",
        question="Where does your SQL end and the text from outside begin?",
        expected=False,
        actual=answer,
    )


@check("A search never brings back users whom the other filters leave out")
def test_search_and_filters_all_hold(student, db, data):
    needle = f"quux{data.word()}"
    hit, *misses = db.insert(
        "users",
        a_user(data, first_name=needle, role="instructor"),
        *(
            a_user(data, **{field: needle + data.word()}, **other)
            for field in ("username", "first_name", "last_name")
            for other in ({"role": "instructor", "is_active": False}, {"role": "student"})
        ),
    )
    ids, total = page_of(student.call("list_users", search=needle, role="instructor"))
    extra = [row for row in misses if row["id"] in ids]
    assert not extra, hint(
        f"The list was asked for active instructors who match {needle}. It also holds"
        f" {len(extra)} users who are inactive or no instructors.",
        question="In `a AND b OR c`, which two belong together?",
        misconception="and-or-precedence",
        expected=[_described(hit)],
        actual=[_described(row) for row in [hit, *extra]],
    )
    assert (ids, total) == ([hit["id"]], 1), hint(
        "One user matches the search and the filters.",
        expected="1 user, total 1",
        actual=(len(ids), total),
    )


def _described(row):
    return f"{row['username']}: {row['role']}, {'active' if row['is_active'] else 'inactive'}"


@check("is_active=False lists only inactive users, and None lists everybody")
def test_inactive_users_can_be_listed(student, db, data):
    active, inactive = data.number(3, 5), data.number(6, 9)
    db.insert("users", *(a_user(data) for _ in range(active)))
    db.insert("users", *(a_user(data, is_active=False) for _ in range(inactive)))
    for asked, wanted in ((True, active), (None, active + inactive), (False, inactive)):
        ids, total = page_of(student.call("list_users", is_active=asked, page_size=50))
        assert (len(ids), total) == (wanted, wanted), hint(
            f"{active} users are active and {inactive} are not. list_users(is_active={asked}) gave"
            f" {len(ids)} users and the total {total}.",
            question="What does `if is_active:` do when is_active is False, and what when it is"
            " None?",
            misconception="truthy-filter" if asked is False else "",
            expected=wanted,
            actual=total,
        )


@check("A page past the end is empty, and the total still counts everybody")
def test_past_the_end_the_total_stays(student, db, data):
    ids, total = page_of(student.call("list_users"))
    assert (ids, total) == ([], 0), hint(
        "Nobody is stored: the list should be empty and the total 0.", expected=0, actual=total
    )
    many = data.number(11, 14)
    db.insert("users", *(a_user(data) for _ in range(many)))
    ids, _ = page_of(student.call("list_users"))
    assert len(ids) == 10, hint(
        f"{many} users are stored. Without page_size a page should hold 10 of them.",
        misconception="",
        expected="10 users",
        actual=f"{len(ids)} users",
    )
    ids, total = page_of(student.call("list_users", page=4, page_size=5))
    assert ids == [], hint(
        f"{many} users fill three pages of 5 at most; page 4 should be empty.", actual=ids
    )
    assert total == many, hint(
        f"On page 4 there is nobody, and the total says {total}; {many} users match. A reader who"
        " went one page too far is told that there are no users at all.",
        question="Where does your total come from when the page has no row?",
        misconception="count-of-the-page",
        expected=many,
        actual=total,
    )


def _short(ids):
    """The beginnings of the ids on the first page: enough to see their order."""
    return ", ".join(str(user_id)[:8] for user_id in ids)


@check("Users who were created in the same instant stand in the order of their ids")
def test_equal_moments_keep_one_order(student, db, data):
    def imported(day, number):
        users = [
            a_user(
                data,
                created_at=LONG_AGO + timedelta(days=day),
                id=UUID(int=data.rng.getrandbits(128)),
            )
            for _ in range(number)
        ]
        return sorted(row["id"] for row in db.insert("users", *users))

    oldest, newest = imported(0, 20), imported(1, 4)
    seen = []
    for page in range(1, 5):
        ids, _ = page_of(student.call("list_users", page=page, page_size=6))
        seen += ids
    shown = {"expected": _short([*newest, *oldest[:2]]), "actual": _short(seen[:6])}
    assert sorted(seen[:4], key=str) == newest, hint(
        "Twenty users are from one day and four from the next. These four should come first.",
        **shown,
    )
    assert seen != [*reversed(newest), *reversed(oldest)], hint(
        "Users with the same created_at stand in the order of their ids, the largest first."
        " README.md asks for the smallest first.",
        **shown,
    )
    assert seen == newest + oldest, hint(
        "Twenty users were imported in one transaction, so all have the same created_at, to the"
        " microsecond. They do not stand in the order of their ids. PostgreSQL promises no order"
        " between equal rows, so page 2 may repeat users of page 1 and leave out others.",
        question="What settles the order of two users with the same created_at?",
        misconception="tie-on-timestamp",
        **shown,
    )


@check("A list needs as few statements for forty users as for four", misconception="loops-over-get")
def test_a_longer_page_costs_no_more_statements(student, db, statements, data):
    stored = [row["id"] for row in db.insert("users", *(a_user(data) for _ in range(40)))]
    sent = {}
    for size in (4, 40):
        ids, _ = page_of(student.call("list_users", page_size=size))
        found = len([user_id for user_id in stored if user_id in ids])
        assert len(ids) == size == found, hint(
            f"40 users are stored; page 1 should hold {size} of them.",
            misconception="",
            expected=f"{size} users",
            actual=f"{len(ids)} users, {found} of them stored",
        )
        sent[size] = statements.last.count
    assert sent[40] <= sent[4], hint(
        f"A page of 4 users took {sent[4]} statements, a page of 40 took {sent[40]}. Each one is a"
        " journey to the database and back.",
        question="Which statement is sent once for each user?",
        expected=f"{sent[4]} statements",
        actual=f"{sent[40]} statements",
        show=statements.last,
    )


@check("Every change moves updated_at", misconception="onupdate-is-not-a-trigger")
def test_changes_move_updated_at(student, db, data):
    edited, closed, other = db.insert(
        "users", *(a_user(data, updated_at=LONG_AGO) for _ in range(3))
    )
    for row, function, wanted, *changes in (
        (edited, "update_user", {"bio": "new"}, {"bio": "new"}),
        (closed, "soft_delete_user", {"is_active": False}),
    ):
        student.call(function, row["id"], *changes)
        now = db.one("users", id=row["id"]) or dict.fromkeys(row)
        assert now == now | wanted, hint(
            f"{function} returned, and the user is not changed.",
            misconception="",
            expected=wanted,
            actual={field: now[field] for field in wanted},
        )
        assert now["updated_at"] > LONG_AGO, hint(
            f"{function} changed a user who was last changed in January 2020, and updated_at still"
            " says 2020. Caches and other programs look there to find out what is new.",
            question="Who writes updated_at: the table, the mapped class, or your statement?",
            expected="updated_at is the time of this change",
            actual=f"updated_at is {now['updated_at']:%d %B %Y}",
        )
    assert db.one("users", id=other["id"]) == other, hint(
        "Another user was changed as well.",
        misconception="",
        **differing(other, db.one("users", id=other["id"])),
    )


def save_form(session, module, user_id, changes):
    """A page that hands the fields of a form on to update_user."""
    try:
        module.update_user(session, user_id, changes)
    except ValueError:
        session.rollback()
        return "refused"
    return "accepted"


@check("update_user refuses fields that are not the profile's", misconception="mass-assignment")
def test_update_refuses_other_fields(student, db, data):
    [stored] = db.insert("users", a_user(data))
    student.call("update_user", stored["id"], {"bio": "mine"})
    row = db.one("users", id=stored["id"])
    assert row["bio"] == "mine", hint(
        "update_user was given a new bio, which is a profile field, and did not store it.",
        misconception="",
        expected="mine",
        actual=row["bio"],
    )
    forbidden = {
        "role": "admin",
        "is_active": False,
        "password_hash": a_hash(data),
        "email": data.email(),
        "shoe_size": "42",
    }
    for field, value in forbidden.items():
        told = student.drive(save_form, row["id"], {"bio": "new", field: value})
        now = db.one("users", id=row["id"]) or {}
        stored = f", and it is stored: {field} is {now[field]!r}" if now.get(field) == value else ""
        assert told == "refused", hint(
            f"A form sent {field}={value!r} with the profile. update_user took it without a"
            f" word{stored}. Whoever can save their profile decides about more than their profile.",
            question="Who decides which columns a form may change: the form, or your function?",
            expected="ValueError",
            actual="update_user returned",
        )
        assert now == row, hint(
            f"update_user was given {field} and raised ValueError, as it should, but the row has"
            " changed.",
            question="What was written before the field was refused?",
            **differing(row, now),
        )


def miss(session, module, function, *arguments):
    """A page that deals with an unknown user, and has no plan for anything else."""
    try:
        getattr(module, function)(session, *arguments)
    except Exception as error:
        if "UserNotFound" not in [base.__name__ for base in type(error).__mro__]:
            raise
        return "UserNotFound"
    return "nothing"


@check(
    "Changing or deleting an unknown user raises UserNotFound", misconception="no-row-is-no-error"
)
def test_unknown_users_are_an_error(student, db, statements, data):
    [row] = db.insert("users", a_user(data))
    student.call("soft_delete_user", row["id"])
    assert not db.one("users", id=row["id"])["is_active"], hint(
        "soft_delete_user was called for a user who is there, and they are still active.",
        misconception="",
    )
    before = db.snapshot()
    for function, *arguments in (
        ("update_user", {"bio": data.text()}),
        ("soft_delete_user",),
        ("hard_delete_user",),
    ):
        told = student.drive(miss, function, uuid4(), *arguments)
        assert told == "UserNotFound", hint(
            f"{function} was called with an id that nobody has, and returned as if all was well."
            " The page says Saved or Deleted, and nothing was.",
            question="What does PostgreSQL answer to an UPDATE or DELETE that matches no row?",
            expected="raises UserNotFound",
            actual=f"{function} returned",
            show=statements.last,
        )
    assert not db.changes(before), hint(
        "Nobody has these ids, and yet something changed.",
        misconception="",
        actual=list(db.changes(before)),
    )


def create_then_miss(session, module, wanted, unknown):
    """A caller that goes on after an update of an unknown user."""
    module.create_user(session, **wanted)
    try:
        module.update_user(session, unknown, {"bio": "nobody"})
    except Exception as error:
        return type(error).__name__
    return None


@check(
    "After UserNotFound the caller can go on with its transaction", misconception="commit-inside"
)
def test_the_caller_can_go_on(student, db, data):
    before = a_user(data)
    student.call("create_user", **before)
    assert db.count("users", email=before["email"]) == 1, hint(
        "create_user returned, its caller committed, and no user was there.", misconception=""
    )
    wanted = a_user(data)
    raised = student.drive(create_then_miss, wanted, uuid4())
    assert db.count("users", email=wanted["email"]) == 1, hint(
        f"The caller created a user, got {raised} for another one, went on and committed. The"
        " created user is gone: a function undid work that was not its own.",
        question="Who may decide that everything since BEGIN is to be forgotten?",
        expected="1 user",
        actual="0 users",
    )


@check("Updates and deletes leave the commit to their caller", misconception="commit-inside")
def test_changes_leave_the_commit_to_their_caller(student, db, statements, data):
    [row] = db.insert("users", a_user(data, bio=data.text()))
    for function, *arguments in (
        ("update_user", row["id"], {"bio": data.text()}),
        ("soft_delete_user", row["id"]),
        ("hard_delete_user", row["id"]),
    ):
        student.call(function, *arguments, commit=False)
        commits = [s for s in statements.last.transactions if s.kind in ("COMMIT", "END")]
        now = db.one("users", id=row["id"])
        assert now == row and not commits, hint(
            f"The caller called {function}, changed its mind and rolled back; the change stayed"
            " all the same.",
            question="Who knows whether everything that belongs together went well?",
            **differing(row, now),
            show=commits,
        )
    student.call("hard_delete_user", row["id"])
    assert db.count("users") == 0, hint(
        "The hard delete was committed, and the user is still there."
    )


@check(
    "No answer of list_users or update_user holds a password hash",
    misconception="leaked-password-hash",
)
def test_lists_hold_no_password_hash(student, db, data):
    rows = db.insert("users", *(a_user(data) for _ in range(3)))
    for function, *arguments in (("list_users",), ("update_user", rows[0]["id"], {"bio": "new"})):
        answer = student.call(function, *arguments)
        if function == "list_users":
            page_of(answer)
        users = answer["users"] if function == "list_users" else [answer]
        emails = {row["email"] for row in rows[: len(users)]}
        assert users and {user["email"] for user in users} >= emails, hint(
            f"{function} did not return the users that it should.", misconception="", actual=users
        )
        leaked = [row for row in rows if row["password_hash"] in str(users)]
        assert not leaked, hint(
            f"The answer of {function} holds {_number_of_hashes(leaked)}. What a function"
            " returns ends up in pages, logs and caches.",
            question="Which fields does this answer have, and who decided that?",
            expected="no field with the hash",
            actual=", ".join(users[0]),
        )


def _number_of_hashes(rows):
    return "a password hash" if len(rows) == 1 else f"{len(rows)} password hashes"


@check("An update without changes changes nothing and returns the user")
def test_an_empty_update_changes_nothing(student, db, data):
    [row] = db.insert("users", a_user(data, bio=data.text(), updated_at=LONG_AGO))
    answer = student.call("update_user", row["id"], {})
    fields = ("id", "email", "username", "bio")
    told = {field: answer.get(field) for field in fields} if isinstance(answer, dict) else {}
    assert told == {field: row[field] for field in fields}, hint(
        "update_user was given no changes. It should return the user as they are.",
        expected={field: row[field] for field in fields},
        actual=told or answer,
    )
    now = db.one("users", id=row["id"])
    wanted = row | {"updated_at": now["updated_at"] if now else None}
    assert now == wanted, hint(
        "update_user was given no changes, and the user was changed.", **differing(wanted, now)
    )


@check("An email or a username that is taken is refused, and its owner stays as they are")
def test_a_taken_email_is_refused(student, db, data):
    first = a_user(data, first_name="Ada")
    student.call("create_user", **first)
    owner = db.one("users", email=first["email"])
    assert owner is not None, hint("create_user was called and committed, and no user is there.")
    for taken in ("email", "username"):
        student.call(
            "create_user", **a_user(data, **{taken: first[taken]}, first_name="Eve"), expect=Raises
        )
        assert db.rows("users") == [owner], hint(
            f"Eve wanted the {taken} that Ada has. Ada's row should be the only one, and as it"
            " was.",
            **differing(owner, db.one("users", id=owner["id"])),
        )
