from sqlalchemy import text


def create_tables(session):
    session.execute(
        text("CREATE TABLE members (email text PRIMARY KEY, age int NOT NULL CHECK (age >= 18))")
    )
