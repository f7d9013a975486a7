"""The data browser: who gets in, what is shown, what may be changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from kit import database
from kit.web.server import listen
from kit.web.studio import SECRETS, create_studio
from pglab.servers.durable import DurableServer
from tests.kit.web.conftest import answering
from tracker.db import make_engine
from tracker.models import Base, OAuthAccount, Track, User

TOKEN = "the-token"
UNSEEN = "not-to-be-seen"
HOSTILE = '<img src="http://127.0.0.1:9/x" onerror="document.title=1">'


@dataclass
class Studio:
    """A studio that answers, and what is behind it."""

    port: int
    engine: Engine

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
        given = {"cookie": f"kit-studio-{self.port}={TOKEN}"} | headers
        return httpx2.request(method, self.address + path, headers=given, timeout=30)


Open = Callable[..., AbstractContextManager[Studio]]


@pytest.fixture(scope="module")
def engine(learners_home: Path) -> Iterator[Engine]:
    """On the learner's database, as new, with secrets and hostile words in it."""
    server = DurableServer(learners_home).start()
    database.reset(server)
    engine = make_engine(server.url(database.NAME))
    with Session(engine) as session, session.begin():
        user = session.scalars(select(User).order_by(User.id).limit(1)).one()
        user.password_hash = UNSEEN
        tokens = dict.fromkeys(("access_token", "refresh_token", "id_token"), UNSEEN)
        account = OAuthAccount(provider="github", provider_account_id="1", user=user, **tokens)
        session.add(account)
        track = session.scalars(select(Track).order_by(Track.id).limit(1)).one()
        track.description = f"{HOSTILE}\nSecond line"
    yield engine
    engine.dispose()


@contextmanager
def running(engine: Engine, *, write: bool) -> Iterator[Studio]:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with answering(create_studio(engine, port, TOKEN, write=write), listening):
            yield Studio(port, engine)


@pytest.fixture(scope="module")
def studio(engine: Engine) -> Iterator[Studio]:
    with running(engine, write=False) as studio:
        yield studio


@pytest.fixture(scope="module")
def writable(engine: Engine) -> Iterator[Studio]:
    with running(engine, write=True) as studio:
        yield studio


def test_without_the_token_nobody_gets_in(studio: Studio) -> None:
    for cookie in ("", f"kit-studio-{studio.port}=wrong", f"other={TOKEN}"):
        for path in ("/", "/user/list", "/statics/css/main.css", "/?token=wrong"):
            assert studio.ask(path, cookie=cookie).status_code == 403, path
    assert studio.ask("/user/list").status_code == 200


def test_the_token_becomes_a_cookie_that_pages_cannot_read(studio: Studio) -> None:
    answer = studio.ask(f"/user/list?token={TOKEN}&search=a", cookie="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/user/list?search=a")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    away = studio.ask(f"//evil.example/?token={TOKEN}", cookie="")
    assert away.headers["location"] == "/evil.example/"


def test_a_name_that_was_made_to_point_here_is_turned_away(studio: Studio) -> None:
    for host in ("evil.example", f"evil.example:{studio.port}", "127.0.0.1", ""):
        answer = studio.ask(f"/?token={TOKEN}", host=host)
        assert answer.status_code in (400, 403), host
        assert "set-cookie" not in answer.headers
    assert studio.ask("/user/list", host=f"localhost:{studio.port}").status_code == 200


def test_a_change_comes_from_its_own_pages_only(writable: Studio) -> None:
    with Session(writable.engine) as session:
        track = session.scalars(select(Track.id).order_by(Track.id.desc()).limit(1)).one()
    path = f"/track/delete?pks={track}"
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
        assert writable.ask(path, "DELETE", origin=origin).status_code == 403
    assert writable.ask(path, "DELETE").status_code == 403
    with Session(writable.engine) as session:
        assert session.get(Track, track) is not None


def test_every_column_that_sounds_secret_is_hidden() -> None:
    harmless = {"token_type"}
    columns = {key for mapper in Base.registry.mappers for key in mapper.columns.keys()}  # noqa: SIM118
    sounding = {key for key in columns if re.search("password|token|secret|hash", key)}
    assert sounding - harmless <= SECRETS
    assert not SECRETS - columns


@pytest.mark.parametrize("mode", ["studio", "writable"])
def test_no_page_shows_a_secret(request: pytest.FixtureRequest, mode: str) -> None:
    studio: Studio = request.getfixturevalue(mode)
    with Session(studio.engine) as session:
        account = session.scalars(select(OAuthAccount)).one()
        pages = {"user": account.user_id, "o-auth-account": account.id}
    for identity, key in pages.items():
        for path in (f"{identity}/list", f"{identity}/details/{key}", f"{identity}/edit/{key}"):
            answer = studio.ask(f"/{path}")
            assert answer.status_code == (403 if "edit" in path and mode == "studio" else 200)
            assert UNSEEN not in answer.text
            assert "password_hash" not in answer.text


@pytest.mark.slow
def test_every_table_is_listed_searched_and_opened(studio: Studio) -> None:
    listed = studio.ask("/user/list").text
    identities = set(re.findall(r"/([\w-]+)/list", listed))
    assert len(identities) == len(Base.registry.mappers)
    opened = 0
    for identity in identities:
        for query in ("", "?search=%25", "?search=a%00b", "?page=99"):
            answer = studio.ask(f"/{identity}/list{query}")
            # A page that is not there leads to one that is.
            assert answer.status_code == (302 if "page" in query else 200), identity + query
        found = re.search(rf"/{identity}/details/[^\"]+", studio.ask(f"/{identity}/list").text)
        if found:
            assert studio.ask(found[0]).status_code == 200, found[0]
            opened += 1
    assert opened > 10


def test_search_has_no_wildcards(studio: Studio) -> None:
    found = studio.ask("/user/list?search=%25").text
    assert "percent@example.com" in found
    assert "learner00001" not in found


def test_a_list_takes_as_many_statements_whatever_its_size(
    studio: Studio, statements_on: Callable[[Engine], AbstractContextManager[list[str]]]
) -> None:
    counts = []
    for size in (25, 50):
        with statements_on(studio.engine) as sent:
            studio.ask(f"/lesson-progress/list?pageSize={size}")
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_read_only_is_what_postgresql_says_too(studio: Studio) -> None:
    origin = {"origin": studio.address}
    with Session(studio.engine) as session:
        track = session.scalars(select(Track.id).limit(1)).one()
    for method, path in (
        ("DELETE", f"/track/delete?pks={track}"),
        ("POST", f"/track/edit/{track}"),
        ("POST", "/track/create"),
    ):
        assert studio.ask(path, method, **origin).status_code == 403, path
    page = studio.ask("/track/list").text
    assert "/track/edit/" not in page
    assert "/track/create" not in page
    readonly = studio.engine.execution_options(postgresql_readonly=True)
    with readonly.connect() as connection:
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"


@pytest.fixture
def statements_on() -> Callable[[Engine], AbstractContextManager[list[str]]]:
    from sqlalchemy import event

    @contextmanager
    def collect(engine: Engine) -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return collect


# In a real browser


def row_of(engine: Engine, key: object) -> dict[str, Any]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM tracks WHERE id = :id"), {"id": key})
        row = dict(found.mappings().one())
    return {name: value for name, value in row.items() if name != "updated_at"}


@pytest.mark.browser
def test_a_learner_looks_searches_and_follows_a_relation(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.address}/?token={TOKEN}")
    assert TOKEN not in page.url
    page.get_by_role("link", name="tracks", exact=True).click()
    page.get_by_placeholder("Search").fill("isolation")
    page.get_by_role("button", name="Search").click()
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(1)
    rows.locator("a[href*='/details/']").first.click()
    page.locator("a[href*='/lesson/details/']").first.click()
    expect(page.locator("table")).to_contain_text("duration_minutes")
    page.locator("a[href*='/track/details/']").first.click()
    expect(page.locator("table")).to_contain_text("Transactions and isolation")


@pytest.mark.browser
def test_words_in_the_data_stay_words(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.address}/?token={TOKEN}")
    page.goto(f"{studio.address}/track/list?search=onerror")
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.locator("a[href*='/details/']").first.click()
    expect(page.locator("table")).to_contain_text(HOSTILE)


@pytest.mark.browser
def test_saving_a_form_that_nobody_touched_changes_nothing(writable: Studio, page: Page) -> None:
    with Session(writable.engine) as session:
        track = session.scalars(select(Track).where(Track.description.contains("Second"))).one()
    before = row_of(writable.engine, track.id)
    page.goto(f"{writable.address}/?token={TOKEN}")
    page.goto(f"{writable.address}/track/edit/{track.id}")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/track/list**")
    assert row_of(writable.engine, track.id) == before


@pytest.mark.browser
def test_a_row_is_added_changed_and_deleted(writable: Studio, page: Page) -> None:
    with Session(writable.engine) as session:
        author = session.scalars(select(User.id).limit(1)).one()
    page.goto(f"{writable.address}/?token={TOKEN}")
    page.goto(f"{writable.address}/track/create")
    page.get_by_label("title").fill("Made by hand")
    page.get_by_label("author_id").fill(str(author))
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/track/list**")
    with Session(writable.engine) as session:
        track = session.scalars(select(Track).where(Track.title == "Made by hand")).one()
        assert (track.currency, track.estimated_hours) == ("USD", 1)
        assert track.slug.startswith("made-by-hand-")

    page.goto(f"{writable.address}/track/edit/{track.id}")
    page.get_by_label("estimated_hours").fill("-1")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("estimated_hours_positive")
    page.get_by_label("estimated_hours").fill("7")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/track/list**")
    assert row_of(writable.engine, track.id)["estimated_hours"] == 7

    page.goto(f"{writable.address}/track/list?search={track.id}")
    page.locator("table tbody tr [data-bs-target='#modal-delete']").click()
    page.locator("#modal-delete").get_by_role("button", name="Delete").click()
    expect(page.locator("table tbody tr a[href*='/details/']")).to_have_count(0)
    with Session(writable.engine) as session:
        assert session.get(Track, track.id) is None
