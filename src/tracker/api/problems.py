"""Errors as problem documents. Source: RFC 9457, Problem Details for HTTP APIs."""

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from tracker import errors

MEDIA_TYPE = "application/problem+json"

# The first that fits decides, so the more special error stands before its base.
STATUSES: dict[type[errors.TrackerError], int] = {
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.InvalidTransition: 409,
    errors.InvalidData: 422,
    errors.MissingReference: 409,
    errors.PaymentRequired: 402,
    errors.NotAvailable: 409,
    errors.TransactionConflict: 503,
    errors.DatabaseUnavailable: 503,
}

log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one value of a request."""

    pointer: str = Field(description="Where it stands, such as #/body/lessons/0/title")
    detail: str


class Problem(BaseModel):
    """Why a request was not fulfilled."""

    type: str = Field(description="The kind of problem: it stays the same, whatever the words")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of its problems in the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Let every error leave the application as a problem document.

    Arguments:
        routes: those of the API; who uses a wrong method is told which ones are right.
    """
    app.state.routes = routes
    app.add_exception_handler(errors.TrackerError, _of_the_tracker)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(PoolTimeout, _of_the_pool)
    app.add_exception_handler(Exception, _of_the_program)
    _add_schema(app)


def _of_the_tracker(_request: Request, error: Exception) -> JSONResponse:
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return _problem(status, str(error), kind=type(error).__name__)
    log.error("The tracker is set up wrongly.", exc_info=error)
    return _of_the_program(_request, error)


def _of_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without what was sent: it may hold a password, or be no text that JSON can carry.
    found = [
        {"pointer": "#/" + "/".join(map(_pointed, one["loc"])), "detail": _text(one["msg"])}
        for one in error.errors()
    ]
    return _problem(422, "The request holds values that cannot be used.", errors=found)


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = _problem(error.status_code, _text(error.detail))
    answer.headers.update(error.headers or {})
    if error.status_code == 405:
        # Starlette names the methods of the first route at this address only.
        answer.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return answer


def _methods_at(request: Request) -> set[str]:
    """Return the methods of all routes at the address that was asked for."""
    return {
        method
        for route in request.app.state.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods
    }


def _of_the_pool(_request: Request, _error: Exception) -> JSONResponse:
    return _problem(503, "All connections to the database are in use. Try again in a moment.")


def _of_the_program(_request: Request, _error: Exception) -> JSONResponse:
    # Nothing of the error itself: who asked must not learn how the program looks inside. The
    # server logs it.
    return _problem(500, "The tracker failed in a way that nobody foresaw.")


def _problem(status: int, detail: str, *, kind: str = "", **more: Any) -> JSONResponse:
    """Make a problem document; a problem that its status says all about is "about:blank"."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
    document = {
        "type": f"/problems/{name}" if name else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _text(detail),
        **more,
    }
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(document, status, headers=headers, media_type=MEDIA_TYPE)


def _text(value: object) -> str:
    """Return a text that can be sent: what UTF-8 has no form for becomes a question mark."""
    return str(value).encode(errors="replace").decode()


def _pointed(part: object) -> str:
    """Return one step of a JSON pointer. Source: RFC 6901, section 3."""
    return _text(part).replace("~", "~0").replace("/", "~1")


def _add_schema(app: FastAPI) -> None:
    """Name `Problem` in the OpenAPI document, in place of what FastAPI says of validation."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        return document

    # The way that FastAPI documents ("Extending OpenAPI"), though it assigns to a method.
    app.openapi = openapi  # type: ignore[method-assign]
