# threat: 8, 11
# earns: 0
# ends: assertion assertion
"""Writes bytes of its own on every socket that it holds: two answers, broken heads, control sequences."""

import os

FORGED = (
    b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]"
    b"HTTP/1.1 200 OK\r\nX: \x1b[2J\r\nContent-Length: 99999999999999999999\r\n\r\n[]"
)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, FORGED)
        except OSError:
            pass
    os._exit(0)
