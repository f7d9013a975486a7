import json
import os

import psycopg
from sqlalchemy import make_url

url = make_url(os.environ["DATABASE_URL"])


def connect():
    return psycopg.connect(
        dbname=url.database,
        user=url.username,
        password=url.password,
        host=url.query["host"],
        port=url.query["port"],
    )


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status, found = 200, None
    with connect() as connection:
        if scope["method"] == "POST":
            body = json.loads((await receive())["body"])["body"]
            connection.execute("INSERT INTO notes (body) VALUES (%s)", [body])
            status = 201
        else:
            found = [row[0] for row in connection.execute("SELECT body FROM notes ORDER BY id")]
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})
