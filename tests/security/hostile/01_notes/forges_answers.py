# threat: 8
# earns: 0
# ends: wire wire wire
"""Writes answers of its own on every file descriptor: early, twice, too long, cut short."""

import json
import os
import struct

for name in ("value", "ready", "exits"):
    body = json.dumps({"id": "0", name: None}).encode()
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">I", len(body)) + body)
        except OSError:
            pass


def add_note(session, body):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">I", 0xFFFFFFFF) + b"x")
        except OSError:
            pass
    return 1


def find_notes(session, word):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">I", 100) + b'{"id":')
        except OSError:
            pass
    return []
