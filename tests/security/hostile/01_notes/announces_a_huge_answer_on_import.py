# threat: 8
# earns: 0
# ends: wire wire wire
# says: Importing notes.py | a frame of 4294967295 bytes was announced
"""Announces an answer of four gigabytes while it is imported."""

import os
import struct

for descriptor in range(3, 64):
    try:
        os.write(descriptor, struct.pack(">I", 0xFFFFFFFF) + b"x")
    except OSError:
        pass


def add_note(session, body):
    return 1


def find_notes(session, word):
    return []
