"""PostgreSQL's errors in the words of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pglab.errors import ScratchError, ServerUnavailable

__all__ = ["doing"]


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into this package's, with what was being done."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise ScratchError(
            f"The server's disk is full ({what}). Free some space there and try again."
        ) from error
    except psycopg.errors.TooManyConnections as error:
        raise ScratchError(
            f"The server has no connection left ({what}). Use fewer jobs, or raise its "
            "max_connections."
        ) from error
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and _is_about_the_connection(error.sqlstate):
            raise ServerUnavailable(
                f"The server does not answer any more ({what}): {error}. Start it again."
            ) from error
        raise ScratchError(f"PostgreSQL refused ({what}): {error}") from error


def _is_about_the_connection(sqlstate: str | None) -> bool:
    """Classes 08 and 57P of the manual's appendix "Error Codes", or no answer at all."""
    return sqlstate is None or sqlstate.startswith(("08", "57P"))
