"""Materialized views for analytics, and a function that refreshes them

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CREATE_TRACK_COMPLETION = """
CREATE MATERIALIZED VIEW track_completion AS
SELECT tracks.id AS track_id,
       count(enrollments.id) AS enrollments,
       count(*) FILTER (WHERE enrollments.status = 'completed') AS completions,
       round(100 * count(*) FILTER (WHERE enrollments.status = 'completed')
             / CAST(nullif(count(enrollments.id), 0) AS numeric), 2) AS completion_rate,
       round(avg(track_progress.percent), 2) AS average_percent,
       round(avg(EXTRACT(epoch FROM enrollments.completed_at - enrollments.enrolled_at)
                 / CAST(3600 AS numeric))
                 FILTER (WHERE enrollments.status = 'completed'), 2) AS average_hours_to_complete
  FROM tracks
  LEFT JOIN enrollments ON enrollments.track_id = tracks.id
  LEFT JOIN track_progress ON enrollments.user_id = track_progress.user_id
                          AND enrollments.track_id = track_progress.track_id
 GROUP BY tracks.id
"""

CREATE_LEARNING_DAYS = """
CREATE MATERIALIZED VIEW learning_days AS
SELECT CAST(timezone('UTC', lesson_progress.completed_at) AS date) AS day,
       count(DISTINCT lesson_progress.user_id) AS learners,
       count(*) AS lessons_completed,
       count(DISTINCT lessons.track_id) AS tracks,
       round(avg(lesson_progress.time_spent_minutes), 2) AS average_minutes,
       round(avg(lesson_progress.score), 2) AS average_score
  FROM lesson_progress
  JOIN lessons ON lessons.id = lesson_progress.lesson_id
 WHERE lesson_progress.completed
 GROUP BY CAST(timezone('UTC', lesson_progress.completed_at) AS date)
"""

# Summed up by user before they are joined: joined first, every enrollment would count once for
# every lesson.
CREATE_LEARNER_ENGAGEMENT = """
CREATE MATERIALIZED VIEW learner_engagement AS
SELECT users.id AS user_id,
       coalesce(enrolled.tracks_enrolled, 0) AS tracks_enrolled,
       coalesce(enrolled.tracks_completed, 0) AS tracks_completed,
       coalesce(learned.lessons_completed, 0) AS lessons_completed,
       coalesce(learned.minutes_spent, 0) AS minutes_spent,
       learned.average_score,
       enrolled.last_active_at
  FROM users
  LEFT JOIN (
       SELECT enrollments.user_id AS user_id,
              count(*) AS tracks_enrolled,
              count(*) FILTER (WHERE enrollments.status = 'completed') AS tracks_completed,
              max(track_progress.last_accessed_at) AS last_active_at
         FROM enrollments
         LEFT JOIN track_progress ON enrollments.user_id = track_progress.user_id
                                 AND enrollments.track_id = track_progress.track_id
        GROUP BY enrollments.user_id
       ) AS enrolled ON enrolled.user_id = users.id
  LEFT JOIN (
       SELECT lesson_progress.user_id AS user_id,
              count(*) FILTER (WHERE lesson_progress.completed) AS lessons_completed,
              sum(lesson_progress.time_spent_minutes) AS minutes_spent,
              round(avg(lesson_progress.score), 2) AS average_score
         FROM lesson_progress
        GROUP BY lesson_progress.user_id
       ) AS learned ON learned.user_id = users.id
 WHERE users.role = 'student'
"""

CREATE_REFRESH_ANALYTICS = """
CREATE FUNCTION refresh_analytics() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    view_name text;
    moment timestamptz;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['track_completion', 'learning_days', 'learner_engagement'] LOOP
        moment := clock_timestamp();
        EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY %I', view_name);
        INSERT INTO view_refreshes AS r (view_name, refreshed_at) VALUES (view_name, moment)
            ON CONFLICT ON CONSTRAINT pk_view_refreshes DO UPDATE SET refreshed_at = moment;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "view_refreshes",
        sa.Column("view_name", sa.String(length=63), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("view_name", name=op.f("pk_view_refreshes")),
    )
    op.execute(CREATE_TRACK_COMPLETION)
    op.execute(CREATE_LEARNING_DAYS)
    op.execute(CREATE_LEARNER_ENGAGEMENT)
    # Unique, over all rows: a concurrent refresh finds by it which rows have changed.
    for view, key in (
        ("track_completion", "track_id"),
        ("learning_days", "day"),
        ("learner_engagement", "user_id"),
    ):
        op.create_index(op.f(f"ix_{view}_{key}"), view, [key], unique=True)
    op.create_index(
        op.f("ix_learner_engagement_last_active_at"), "learner_engagement", ["last_active_at"]
    )
    op.execute(CREATE_REFRESH_ANALYTICS)


def downgrade() -> None:
    op.execute("DROP FUNCTION refresh_analytics()")
    for view in ("learner_engagement", "learning_days", "track_completion"):
        op.execute(f"DROP MATERIALIZED VIEW {view}")
    op.drop_table("view_refreshes")
