"""An index is there for a query; here is the query's own plan to say so."""

from collections.abc import Callable

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from tracker.analytics import learners
from tracker.seeding import seed


def test_who_was_seen_last_is_read_off_an_index_in_that_order(session: Session) -> None:
    seed(session)
    # The demo data is small, and sorting it would be quicker than any index.
    session.execute(text("SET LOCAL enable_sort = off"))
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = plan_of(session, lambda: learners.engagement(session))
    assert "ix_learner_engagement_last_active_at" in plan


def plan_of(session: Session, query: Callable[[], object]) -> str:
    """Return the plan of the first statement that a query sends."""
    sent: list[tuple[str, object]] = []

    def note(_c: Connection, _k: object, statement: str, parameters: object, *_: object) -> None:
        sent.append((statement, parameters))

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        query()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    statement, parameters = sent[0]
    lines = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return "\n".join(lines.scalars())
