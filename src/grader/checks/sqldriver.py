"""The driver of the instrument ``sql``: its source is sent into the sandbox and runs there.

So it stands alone: its imports are inside, and its annotations are texts.
"""

from typing import Any


def run_statements(
    session: "Any", module: "Any", statements: "Any", autocommit: bool, most_rows: int
) -> "Any":
    """Run statements one by one on one connection; what the last one gave, or who was refused."""
    import time

    import psycopg

    columns: list[str] | None = None
    rows: list[list[Any]] = []
    how = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    with session.get_bind().connect().execution_options(**how) as connection:
        cursor = connection.connection.cursor()
        for number, (text, parameters) in enumerate(statements):
            began = time.monotonic()
            try:
                cursor.execute(text, parameters)
                columns, rows = None, []
                if cursor.description:
                    columns = [column.name for column in cursor.description]
                    rows = [list(row) for row in cursor.fetchmany(most_rows + 1)]
                if number + 1 == len(statements) and not autocommit:
                    began = time.monotonic()
                    connection.connection.commit()
            except psycopg.Error as error:
                refused = {
                    "number": number,
                    "type": type(error).__name__,
                    "sqlstate": error.sqlstate,
                    "message": error.diag.message_primary or str(error),
                    "position": error.diag.statement_position,
                    "lasted": time.monotonic() - began,
                }
                return {"refused": refused, "columns": None, "rows": []}
    return {"refused": None, "columns": columns, "rows": rows}
