"""Connection URLs: build them, change them, and show them without their password."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

__all__ = ["database_url", "masked", "parameters_of", "sqlalchemy_url", "with_database"]

_PASSWORD_IN_URL = re.compile(r"(?P<head>[a-z+]*://[^/?#]*?:)[^/?#]*(?=@)", re.IGNORECASE)
_PASSWORD_WORD = re.compile(
    r"(?P<head>\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE
)


def database_url(
    database: str,
    *,
    user: str | None = None,
    password: str | None = None,
    host: str | None = None,
    port: int | str | None = None,
    options: dict[str, str] | None = None,
) -> str:
    """A libpq URI; a host that is a directory (a Unix socket) becomes a query parameter.

    psycopg and SQLAlchemy both read the result. Source: manual, libpq, "Connection URIs".
    """
    login = quote(user, safe="") if user else ""
    if password is not None:
        login += ":" + quote(password, safe="")
    query = dict(options or {})
    place = ""
    if host is not None and (host.startswith(("/", "@")) or "," in host or host == ""):
        query = {"host": host, **({"port": str(port)} if port else {}), **query}
    elif host is not None:
        place = f"[{host}]" if ":" in host else quote(host, safe="")
        place += f":{port}" if port else ""
    tail = "?" + urlencode(query, quote_via=quote, safe="/") if query else ""
    return f"postgresql://{login}{'@' if login else ''}{place}/{quote(database, safe='')}{tail}"


def parameters_of(url: str) -> dict[str, str]:
    """The connection parameters in a URL or a ``key=value`` string, by libpq's own parser.

    Raises:
        ValueError: the text is neither; the message does not repeat it, because of its password.
    """
    plain = re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url)
    try:
        return dict(_parsed(plain))
    except Exception:
        raise ValueError("this is not a PostgreSQL connection URL") from None


@functools.lru_cache(maxsize=32)
def _parsed(conninfo: str) -> Mapping[str, str]:
    """The parameters; a few places are asked for again and again, by other names and roles."""
    return {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}


def with_database(url: str, database: str, user: str | None, password: str | None) -> str:
    """The same server by another database, and by another role where one is given."""
    parameters = parameters_of(url)
    parameters["dbname"] = database
    if user is not None:
        parameters["user"] = user
        parameters.pop("password", None)
        parameters.pop("passfile", None)
    if password is not None:
        parameters["password"] = password
    return _from_parameters(parameters)


def sqlalchemy_url(url: str) -> str:
    """The same URL with the driver named, as SQLAlchemy expects it."""
    return re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql+psycopg://", url)


def masked(text: str) -> str:
    """The text with the passwords in its URLs and ``password=`` words replaced by ``***``."""
    return _PASSWORD_WORD.sub(r"\g<head>***", _PASSWORD_IN_URL.sub(r"\g<head>***", text))


def _from_parameters(parameters: dict[str, str]) -> str:
    rest = dict(parameters)
    return database_url(
        rest.pop("dbname", "postgres"),
        user=rest.pop("user", None),
        password=rest.pop("password", None),
        host=rest.pop("host", None),
        port=rest.pop("port", None),
        options=rest,
    )
