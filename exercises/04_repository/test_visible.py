"""What a repository for users must do. Your grader runs more checks than these."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from grader.checks import check, hint

PUBLIC = (
    "id",
    "email",
    "username",
    "first_name",
    "last_name",
    "avatar",
    "bio",
    "role",
    "is_active",
    "created_at",
    "updated_at",
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_user(data, **fields):
    """Columns of one more user."""
    user = {
        "email": data.email(),
        "username": data.word(4),
        "password_hash": a_hash(data),
        "first_name": data.name(),
        "last_name": data.word().capitalize(),
    }
    return user | fields


def a_hash(data):
    return f"argon2id-{data.word(8)}"


def differing(wanted, given):
    """What to show of two versions of a row: the fields in which they differ."""
    if given is None:
        return {"expected": "the row as it was", "actual": "no row"}
    fields = [field for field in wanted if given.get(field) != wanted[field]]
    return {
        "expected": {field: wanted[field] for field in fields},
        "actual": {field: given.get(field) for field in fields},
    }


def fields_of(user, function):
    assert isinstance(user, dict), hint(
        f"{function} should return a user with its public fields; it returned something else.",
        question="What does the line with `return` give back?",
        expected=f"a dict with {', '.join(PUBLIC)}",
        actual=user,
    )
    return user


def page_of(answer):
    """The ids of the users on a page, in their order, and the total."""
    shaped = (
        isinstance(answer, dict)
        and isinstance(answer.get("users"), list)
        and all(isinstance(user, dict) for user in answer["users"])
        and "total" in answer
    )
    assert shaped, hint(
        "list_users should return a dict with two keys: `users`, a list, and `total`, a number.",
        misconception="",
        expected={"users": ["…"], "total": 1},
        actual=answer,
    )
    return [user.get("id") for user in answer["users"]], answer["total"]


@check("A created user is stored, and comes back with the id that the database gave it", points=2)
def test_create_stores_the_user(student, db, data):
    wanted = a_user(data)
    answer = student.call("create_user", **wanted)
    row = db.one("users", email=wanted["email"])
    assert row is not None, hint(
        "create_user returned and its caller committed, but no row has the email"
        f" {wanted['email']}.",
        question="Which line hands the new user to the session?",
        actual=db.rows("users"),
    )
    for field, value in wanted.items():
        assert row[field] == value, hint(
            f"The user was stored, but with another {field} than create_user was given.",
            expected=value,
            actual=row[field],
        )
    user = fields_of(answer, "create_user")
    assert user.get("id") == row["id"], hint(
        f"PostgreSQL stored the user under the id {row['id']}, and create_user returned"
        f" {user.get('id')}. Without the right id, nobody can find the user again.",
        question="When is the INSERT sent: at session.add(), or later?",
        misconception="add-is-not-insert",
        expected=f"id = {row['id']}",
        actual=f"id = {user.get('id')}",
    )
    for field in ("email", "username", "first_name", "last_name", "role", "is_active"):
        assert user.get(field) == row[field], hint(
            f"The row is right, but create_user returned another {field} than the row has.",
            question="Who fills in the defaults of a column, and when?",
            expected=f"{field} = {row[field]!r}",
            actual=f"{field} = {user.get(field)!r}",
        )


@check("create_user leaves the commit to its caller", points=2, misconception="commit-inside")
def test_create_leaves_the_commit_to_its_caller(student, db, statements, data):
    kept = a_user(data)
    student.call("create_user", **kept)
    assert db.count("users", email=kept["email"]) == 1, hint(
        "create_user returned, its caller committed, and no user was there.",
        misconception="",
    )
    student.call("create_user", **a_user(data), commit=False)
    commits = [s for s in statements.last.transactions if s.kind in ("COMMIT", "END")]
    assert db.count("users") == 1, hint(
        "The caller called create_user, changed its mind and rolled back; the user stayed in the"
        " table all the same. A page that creates a user and then fails would leave half of its"
        " work behind.",
        question="Who knows whether everything that belongs together went well: create_user, or"
        " its caller?",
        expected="1 user, the one that was committed by the caller",
        actual=f"{db.count('users')} users",
        show=commits,
    )
    assert not commits, hint(
        "create_user sent a COMMIT. It ends the transaction of whoever called it, with all that"
        " they had not finished yet.",
        question="Who knows whether everything that belongs together went well: create_user, or"
        " its caller?",
        show=commits,
    )


@check("No answer of create_user or find_user holds the password hash", points=2)
def test_answers_hold_no_password_hash(student, db, data):
    wanted = a_user(data)
    created = student.call("create_user", **wanted)
    [stored] = db.insert("users", a_user(data))
    found = student.call("find_user", stored["id"])
    for function, answer, secret, email in (
        ("create_user", created, wanted["password_hash"], wanted["email"]),
        ("find_user", found, stored["password_hash"], stored["email"]),
    ):
        assert fields_of(answer, function).get("email") == email, hint(
            f"{function} returned a user without their email.", expected=email, actual=answer
        )
        assert secret not in str(answer), hint(
            f"The answer of {function} holds the password hash. What a function returns ends up in"
            " pages, logs and caches, and a hash that got out can be guessed offline, as fast as"
            " a machine can.",
            question="Which fields does this answer have, and who decided that?",
            misconception="leaked-password-hash",
            expected=f"only {', '.join(PUBLIC)}",
            actual=", ".join(answer),
        )


@check("find_user finds every user by id, active or not, and gives None for an unknown id")
def test_find_knows_every_user(student, db, data):
    active, inactive = db.insert(
        "users",
        a_user(data, bio=data.text(), avatar=data.word()),
        a_user(data, is_active=False, role="admin"),
    )
    for row in (active, inactive):
        user = fields_of(student.call("find_user", row["id"]), "find_user")
        for field in PUBLIC:
            assert field in user and user[field] == row[field], hint(
                f"find_user returned another {field} than the row has.",
                question="Does the answer have every public field that README.md lists?",
                expected=f"{field} = {row[field]!r}",
                actual=f"{field} = {user[field]!r}" if field in user else f"no field {field}",
            )
    nobody = student.call("find_user", uuid4())
    assert nobody is None, hint(
        "No user has this id, and find_user returned something.",
        expected="None",
        actual=repr(nobody),
    )


@check("list_users gives the newest users first, one page at a time")
def test_list_gives_the_newest_first(student, db, data):
    days = data.rng.sample(range(1000), 8)
    rows = db.insert(
        "users", *(a_user(data, created_at=LONG_AGO + timedelta(days=d)) for d in days)
    )
    newest_first = [r["id"] for r in sorted(rows, key=lambda r: r["created_at"], reverse=True)]
    for page, wanted in ((1, newest_first[:3]), (2, newest_first[3:6]), (3, newest_first[6:])):
        answer = student.call("list_users", page=page, page_size=3)
        ids, _ = page_of(answer)
        assert ids == wanted, hint(
            f"With 8 users and 3 on a page, page {page} should hold {len(wanted)} of them, the"
            " newest first.",
            question="Is page 1 the first page, and is the order settled before the page is cut?",
            expected=[str(i) for i in wanted],
            actual=[str(i) for i in ids],
        )
        for user in answer["users"]:
            assert set(PUBLIC) <= user.keys(), hint(
                "A user on the page lacks public fields.",
                expected=", ".join(PUBLIC),
                actual=", ".join(map(str, user)),
            )


@check("The total counts every user that matches, not only those on the page")
def test_total_counts_every_match(student, db, data):
    many = data.number(12, 20)
    db.insert("users", *(a_user(data) for _ in range(many)))
    db.insert("users", a_user(data, is_active=False), a_user(data, is_active=False))
    teachers = data.number(5, 8)
    db.insert("users", *(a_user(data, role="instructor") for _ in range(teachers)))
    for role, wanted in ((None, many + teachers), ("instructor", teachers)):
        ids, total = page_of(student.call("list_users", role=role, page_size=4))
        assert len(ids) == 4, hint(
            "The page should hold 4 users.", expected="4 users", actual=f"{len(ids)} users"
        )
        asked = f'list_users(role="{role}", page_size=4)' if role else "list_users(page_size=4)"
        assert total != 4, hint(
            f"{asked} says that there are 4 users in all, because 4 are on the page; {wanted}"
            " match. The page could not say that there is a next one.",
            question="What does your code count: the users that match, or the users that it"
            " fetched?",
            misconception="count-of-the-page",
            expected=wanted,
            actual=total,
        )
        assert total == wanted, hint(
            f"{asked} says that {total} users match; {wanted} do.",
            question="Does the count ask for the same users as the list?",
            expected=wanted,
            actual=total,
        )


@check("A search looks into username, first name and last name, and ignores case")
def test_search_looks_in_three_fields(student, db, data):
    needle = f"quux{data.word()}"
    hits = db.insert(
        "users",
        a_user(data, username=f"{data.word()}{needle}", first_name=None, last_name=None),
        a_user(data, first_name=f"{needle.capitalize()}a", last_name=None),
        a_user(data, last_name=f"Mc{needle.upper()}"),
    )
    db.insert("users", a_user(data), a_user(data, bio=needle), a_user(data, avatar=f"{needle}.png"))
    ids, total = page_of(student.call("list_users", search=needle.title()))
    missing = [row for row in hits if row["id"] not in ids]
    nameless = [row for row in missing if row["last_name"] is None]
    assert not missing or missing != nameless, hint(
        f"The search for {needle.title()} finds users with a first and a last name, but misses"
        f" {len(nameless)} who match and have told only one name, or none.",
        question="In SQL, what is 'Ada' || ' ' || NULL?",
        misconception="null-in-concatenation",
        expected=[_described(row) for row in missing],
    )
    assert not missing, hint(
        f"The search for {needle.title()} misses users that it should find.",
        question="Which of the three fields holds the text here, and in which case?",
        expected=[_described(row) for row in missing],
    )
    assert len(ids) == 3 == total, hint(
        f"Three users have {needle} in their username or name. The search found others as well.",
        expected="3 users, total 3",
        actual=f"{len(ids)} users, total {total}",
    )


def _described(row):
    return {field: row[field] for field in ("username", "first_name", "last_name")}


@check("An update changes the fields that it is given and leaves all others alone")
def test_update_changes_only_what_it_is_given(student, db, data):
    row, _ = db.insert("users", *(a_user(data, bio=data.text(), avatar="a.png") for _ in "ab"))
    before = db.snapshot()
    changes = {"bio": data.text(), "last_name": data.word()}
    answer = student.call("update_user", row["id"], changes)
    updated = db.changes(before).get("users")
    assert updated and len(updated.updated) == 1, hint(
        "One user should have changed.",
        expected="1 changed row",
        actual=f"{len(updated.updated) if updated else 0} changed rows",
    )
    old, new = updated.updated[0]
    wanted = old | changes | {"updated_at": new["updated_at"]}
    assert new == wanted, hint(
        f"update_user was asked to change {' and '.join(changes)}. The row is not what it should"
        " be now.",
        question="What becomes of a field that is not among the changes?",
        **differing(wanted, new),
    )
    user = fields_of(answer, "update_user")
    told = {field: user.get(field) for field in ("id", *changes)}
    assert told == {"id": row["id"], **changes}, hint(
        "The row is right, but update_user did not return the user as they are now.",
        expected={"id": row["id"], **changes},
        actual=told,
    )


@check("An update can clear a field", misconception="truthy-update")
def test_update_can_clear_a_field(student, db, data):
    [row] = db.insert("users", a_user(data, bio=data.text(), avatar="a.png"))
    student.call("update_user", row["id"], {"bio": None, "avatar": "", "first_name": "Ada"})
    now = db.one("users", id=row["id"])
    assert now["first_name"] == "Ada", hint(
        "update_user did not store the new first name.",
        misconception="",
        expected="Ada",
        actual=now["first_name"],
    )
    for field, wanted in (("bio", None), ("avatar", "")):
        assert now[field] == wanted, hint(
            f"update_user was given {field}={wanted!r}, and the old {field} is still there. A user"
            " who wants their data gone presses Save, reads Saved, and it is not gone.",
            question="How can your code tell a field that is to be emptied from one that was not"
            " mentioned?",
            expected=f"{field} = {wanted!r}",
            actual=f"{field} = {now[field]!r}",
        )


@check("A soft delete keeps the row and makes it inactive")
def test_soft_delete_keeps_the_row(student, db, data):
    row, other = db.insert("users", a_user(data, bio=data.text()), a_user(data))
    db.insert("tracks", {"title": data.text(), "author_id": row["id"]})
    before = db.snapshot()
    student.call("soft_delete_user", row["id"])
    changes = db.changes(before)
    assert "users" in changes and not changes["users"].deleted and set(changes) == {"users"}, hint(
        "A soft delete should change one row of users, and remove nothing anywhere.",
        question="What is the difference between a user who is gone and a user who is inactive?",
        expected="1 user changed",
        actual={
            t: f"{len(c.updated)} changed, {len(c.deleted)} deleted" for t, c in changes.items()
        },
    )
    now = db.one("users", id=row["id"])
    wanted = row | {"is_active": False, "updated_at": now["updated_at"]}
    assert now == wanted, hint(
        "The user should be as before, apart from is_active and updated_at.",
        **differing(wanted, now),
    )
    assert db.one("users", id=other["id"]) == other, hint("Another user was changed as well.")


@check("A hard delete takes the user and their tracks, and nobody else's")
def test_hard_delete_takes_the_tracks_along(student, db, data):
    row, other = db.insert("users", a_user(data), a_user(data))
    for author in (row, row, other):
        db.insert("tracks", {"title": data.text(), "author_id": author["id"]})
    student.call("hard_delete_user", row["id"])
    left = {"users": db.rows("users"), "tracks": db.rows("tracks")}
    assert row not in left["users"], hint(
        "The user is still in the table.", actual=db.one("users", id=row["id"])
    )
    assert left["users"] == [other] and [t["author_id"] for t in left["tracks"]] == [other["id"]], (
        hint(
            "After the hard delete there should be the other user and their one track.",
            question="What does ON DELETE CASCADE in schema.sql do already?",
            expected="1 user, 1 track",
            actual=f"{len(left['users'])} users, {len(left['tracks'])} tracks",
        )
    )


@check("user_exists knows emails and usernames, also those of inactive users")
def test_exists_knows_emails_and_usernames(student, db, data):
    row, gone = db.insert("users", a_user(data), a_user(data, is_active=False))
    for taken in (row["email"], row["username"], gone["email"], gone["username"]):
        answer = student.call("user_exists", taken)
        assert answer is True, hint(
            f"A user has the email or username {taken}, so it is taken.",
            expected=True,
            actual=answer,
        )
    for free in (data.email(), data.word(4), row["username"][:-1], ""):
        answer = student.call("user_exists", free)
        assert answer is False, hint(
            f"Nobody has the email or username {free!r}. It must be exactly the same text, not a"
            " part of it.",
            expected=False,
            actual=answer,
        )
