"""The learner's data in a browser: tables, relations, search, and, if wanted, forms."""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqladmin import Admin, ModelView
from sqladmin.forms import ModelConverter
from sqlalchemy import Boolean, DefaultClause, Enum, Select, String, Text, Uuid, cast, or_
from sqlalchemy.engine import Engine
from sqlalchemy.orm import ColumnProperty, Mapper
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from wtforms.validators import Optional

from tracker.models import Base

SECRETS = frozenset(
    {"password_hash", "token_hash", "access_token", "refresh_token", "id_token", "session_state"}
)
"""Columns that are neither read nor written here, whatever their table."""

LARGE = frozenset({"Organization.users", "Organization.tracks", "Lesson.progress", "Quiz.attempts"})
"""Relations that may lead to a whole class: a page that shows one row must not read them all."""

EMPTY: tuple[object, ...] = (None, "", [], {})
SHOWN_LETTERS = 60
SAFE_METHODS = frozenset({"GET", "HEAD"})
HEADERS = {
    # Nothing that stands in the data can fetch, send or frame anything.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def new_token() -> str:
    """What the address must hold once, so that nobody else on this machine gets in."""
    return secrets.token_urlsafe(32)


def create_studio(engine: Engine, port: int, token: str, *, write: bool = False) -> ASGIApp:
    """Make the application.

    Args:
        engine: on the learner's database.
        port: where it will be reached.
        token: lets a browser in that brings it as ``?token=…``.
        write: whether rows may be changed. If not, PostgreSQL itself refuses to.
    """
    if not write:
        engine = engine.execution_options(postgresql_readonly=True)
    app = Starlette(routes=[Route("/", lambda _request: RedirectResponse("/user/list"))])
    title = "studio" if write else "studio (read-only)"
    admin = Admin(app, engine, base_url="/", title=title, favicon_url="data:,")
    for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__tablename__):
        admin.add_view(view_of(mapper, write=write))
    return Gate(app, port, token)


def view_of(mapper: Mapper[Any], *, write: bool) -> type[ModelView]:
    """Make the pages of one table."""
    model = mapper.class_
    columns = [column.key for column in mapper.column_attrs if column.key not in SECRETS]
    relations = [
        relation.key
        for relation in mapper.relationships
        if f"{model.__name__}.{relation.key}" not in LARGE
    ]
    by_type = {key: mapper.columns[key].type for key in columns}
    hides_what_it_needs = any(
        not column.nullable for column in mapper.columns if column.key in SECRETS
    )
    settings: dict[str, Any] = {
        "name": model.__name__,
        "name_plural": model.__tablename__,
        "column_list": columns,
        "column_details_list": columns + relations,
        "column_sortable_list": columns,
        "column_searchable_list": [
            key for key, kind in by_type.items() if isinstance(kind, String | Text | Uuid | Enum)
        ],
        "column_labels": {key: key for key in columns + relations},
        "column_type_formatters": FORMATTERS,
        "column_type_formatters_detail": FORMATTERS | {str: str, dict: _whole},
        "form_columns": [key for key in columns if _is_for_people(mapper, key)],
        "form_include_pk": True,  # and with it the columns that refer to other rows
        "form_converter": FormConverter,
        "on_model_change": _keep_what_nobody_changed,
        "can_create": write and not hides_what_it_needs,
        "can_edit": write,
        "can_delete": write,
        "can_export": False,
        "page_size": 25,
        "page_size_options": [25, 50, 100],
        "search_query": _search,
    }
    return type(f"{model.__name__}View", (ModelView,), settings, model=model)


def _is_for_people(mapper: Mapper[Any], key: str) -> bool:
    """Whether people may fill a column in: not what Python or the server makes by itself."""
    column = mapper.columns[key]
    return key not in {"id", "created_at", "updated_at"} and column.computed is None


class FormConverter(ModelConverter):
    """Fields for columns. sqladmin does not know that PostgreSQL, too, has defaults."""

    def _prepare_column(
        self, prop: ColumnProperty[Any], form_include_pk: bool, kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        column = prop.columns[0]
        if column.default is not None and column.default.is_callable:
            # sqladmin would call it now, but it has to see the whole row.
            return kwargs | {"default": None, "validators": [Optional()]}
        prepared: dict[str, Any] | None = super()._prepare_column(prop, form_include_pk, kwargs)
        if prepared and isinstance(column.server_default, DefaultClause):
            if isinstance(column.type, Boolean):
                prepared["default"] = str(column.server_default.arg) == "true"
            else:
                prepared["validators"].append(Optional())
        return prepared


async def _keep_what_nobody_changed(
    _view: ModelView, data: dict[str, Any], model: Any, is_created: bool, _request: Request
) -> None:
    """Take out of a form's data what it only seems to say.

    An empty field of a new row stands for the column's default. In a row that is there, a form
    shows no microseconds, ends lines as the web does, and cannot tell NULL from an empty text.
    """
    for key, value in list(data.items()):
        new = value.replace("\r\n", "\n") if isinstance(value, str) else value
        data[key] = new
        if is_created:
            column = model.__mapper__.columns[key]
            has_default = column.default is not None or column.server_default is not None
            unchanged = has_default and new in EMPTY
        else:
            unchanged = _looks_alike(getattr(model, key), new)
        if unchanged:
            del data[key]


def _looks_alike(old: object, new: object) -> bool:
    """Whether a form shows both in the same way."""
    if isinstance(old, datetime.datetime):
        old = old.replace(microsecond=0)
    return old == new or (old in EMPTY and new in EMPTY)


def _search(view: ModelView, stmt: Select[Any], term: str) -> Select[Any]:
    """Search for letters: without wildcards, and without the one that no text can hold."""
    wanted = term.replace("\0", "")
    columns = (getattr(view.model, key) for key in view._search_fields)
    return stmt.where(
        or_(*(cast(column, String).icontains(wanted, autoescape=True) for column in columns))
    )


def label(row: Base) -> str:
    """A row as one name: what tells people most about it, or else its key."""
    for key in ("title", "name", "username", "number", "provider"):
        if value := getattr(row, key, None):
            return _short(str(value))
    identity = row.__mapper__.primary_key_from_instance(row)
    return f"{type(row).__name__} {', '.join(map(str, identity))}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"


def _whole(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _moment(value: datetime.datetime) -> str:
    return f"{value.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}"


# NULL must not look like an empty text.
FORMATTERS: dict[type, Any] = {
    type(None): lambda _value: "NULL",
    bool: lambda value: "true" if value else "false",
    list: lambda value: ", ".join(map(str, value)),
    dict: lambda value: _short(_whole(value)),
    datetime.datetime: _moment,
    str: _short,
    Base: label,
}


class Gate:
    """Lets in the one browser that has the token, and only by this machine's own name.

    The name is checked because a web page of somebody else can make its name point at this machine
    (DNS rebinding). The origin of a change is checked because a cookie of 127.0.0.1 is sent to
    every port of it, and by pages of every port.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._token = token
        self._cookie = f"kit-studio-{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(Request(scope)) if scope["type"] == "http" else _refuse("HTTP only.")
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return _refuse(f"This is kit studio, and {host} is not a name of it.")
        if "token" in request.query_params and request.method in SAFE_METHODS:
            return self._let_in(request)
        if not self._knows(request.cookies.get(self._cookie, "")):
            return _refuse("Open the whole address that kit db studio printed, token included.")
        if request.method not in SAFE_METHODS and request.headers.get("origin") != f"http://{host}":
            return _refuse("A change can only come from a page of kit studio itself.")
        return None

    def _let_in(self, request: Request) -> Response:
        if not self._knows(request.query_params["token"]):
            return _refuse("This token is not good (any more). kit db studio prints a new one.")
        answer = RedirectResponse(_without_token(request), 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return answer

    def _knows(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._token.encode())


def _refuse(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", 403)


def _without_token(request: HTTPConnection) -> str:
    url: URL = request.url
    kept = urlencode([(name, value) for name, value in parse_qsl(url.query) if name != "token"])
    # One slash: two would be the address of another machine.
    return "/" + url.path.lstrip("/") + (f"?{kept}" if kept else "")


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_encoded()]
        await send(message)

    return with_headers


def _encoded() -> Iterator[tuple[bytes, bytes]]:
    for name, value in HEADERS.items():
        yield name.encode(), value.encode()
