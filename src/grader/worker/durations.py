"""How long a statement lasted that failed: what tells one limit of its time from another.

The error of a statement's time limit says neither how long the limit was nor who has set it. So
every SQLAlchemy engine of the process notes when a statement begins, also those that the submission
makes, and the driver's error carries how long it lasted. Importing this module sees to that.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, ExceptionContext, event

_BEGAN = "kit_began"
_LASTED = "kit_lasted"


def lasted(error: BaseException) -> float:
    """Seconds that a statement lasted, by its error; 0.0 where that is not known."""
    return float(getattr(getattr(error, "orig", None) or error, _LASTED, 0.0))


@event.listens_for(Engine, "before_cursor_execute")
def _begins(_1: Any, _2: Any, _3: Any, _4: Any, context: Any, _5: Any) -> None:
    setattr(context, _BEGAN, time.monotonic())


@event.listens_for(Engine, "handle_error")
def _has_failed(context: ExceptionContext) -> None:
    began = getattr(context.execution_context, _BEGAN, None)
    if began is not None:
        setattr(context.original_exception, _LASTED, time.monotonic() - began)
