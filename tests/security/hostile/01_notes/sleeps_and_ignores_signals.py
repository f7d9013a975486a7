# threat: 13
# earns: 0
# ends: timeout assertion timeout
import signal
import time

for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def add_note(session, body):
    time.sleep(3600)


def find_notes(session, word):
    return []
