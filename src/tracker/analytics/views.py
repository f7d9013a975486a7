"""Refreshing the materialized views, and how old they are."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.models import ViewRefresh
from tracker.models.base import Base

VIEWS = tuple(sorted(table.name for table in Base.metadata.tables.values() if table.is_view))


def refresh(session: Session) -> None:
    """Compute all views anew. Others go on reading them as they were until this is done.

    Only the owner of the views may do this, so it is a task for the job that migrates and
    maintains, not for the application. Two refreshes at once wait for each other.
    """
    with unit_of_work(session):
        session.execute(select(func.refresh_analytics()))


def refreshed_at(session: Session) -> dict[str, datetime | None]:
    """Return when each view was last refreshed; None: not since it was made."""
    rows = session.execute(select(ViewRefresh.view_name, ViewRefresh.refreshed_at))
    known = {row.view_name: row.refreshed_at for row in rows}
    return {view: known.get(view) for view in VIEWS}
