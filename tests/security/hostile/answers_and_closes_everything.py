# threat: 8
# earns: 0
import os

os.closerange(0, 256)


def add_note(session, body):
    return 1


def find_notes(session, word):
    return []
