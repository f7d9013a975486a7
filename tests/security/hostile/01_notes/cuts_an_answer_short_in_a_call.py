# threat: 8
# earns: 0
# ends: timeout killed timeout
# says: no answer within | ended before it answered
"""Sends half an answer: the rest never comes, or the program is gone before it could."""

import os
import struct


def half():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">I", 1000) + b'{"id":')
        except OSError:
            pass


def add_note(session, body):
    half()
    return 1


def find_notes(session, word):
    half()
    os._exit(0)
