# threat: 8
# earns: 0
# ends: killed killed killed
import os

os.closerange(0, 256)


def add_note(session, body):
    return 1


def find_notes(session, word):
    return []
