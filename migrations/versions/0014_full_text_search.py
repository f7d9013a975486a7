"""Full text search: the words of tracks and lessons, kept by the server, and indexed

Revision ID: 0014
Revises: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# array_to_string() is only STABLE, because the text of some types depends on settings; that of
# text[] does not, and a generated column needs a function that is IMMUTABLE.
CREATE_JOINED = """
CREATE FUNCTION joined(words text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_string(words, ' ')
"""

WORDS_OF_TRACK = """
setweight(to_tsvector('english', title), 'A')
|| setweight(to_tsvector('english', coalesce(description, '')), 'B')
|| setweight(to_tsvector('english', joined(tags)), 'C')
|| setweight(to_tsvector('english', coalesce(category, '')), 'C')
"""

WORDS_OF_LESSON = """
setweight(to_tsvector('english', title), 'A')
|| setweight(to_tsvector('english', content), 'B')
"""


def upgrade() -> None:
    op.execute(CREATE_JOINED)
    # Adding a generated column writes the whole table anew, under a lock that stops everybody. On a
    # large table that takes minutes: choose the hour.
    for table, words in (("tracks", WORDS_OF_TRACK), ("lessons", WORDS_OF_LESSON)):
        op.add_column(
            table,
            sa.Column(
                "search_vector",
                postgresql.TSVECTOR(),
                sa.Computed(words, persisted=True),
                nullable=False,
            ),
        )
        op.create_index(
            op.f(f"ix_{table}_search_vector"), table, ["search_vector"], postgresql_using="gin"
        )


def downgrade() -> None:
    for table in ("lessons", "tracks"):
        op.drop_column(table, "search_vector")
    op.execute("DROP FUNCTION joined(text[])")
