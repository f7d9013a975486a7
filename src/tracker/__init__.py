"""The reference learning tracker: SQLAlchemy 2.1, Alembic and psycopg 3 on PostgreSQL."""
