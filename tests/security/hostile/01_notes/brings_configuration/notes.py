# threat: 2
# earns: 0
# ends: assertion assertion assertion
def add_note(session, body):
    return 1


def find_notes(session, word):
    return []
