# threat: 7
# earns: 0
# ends: wire wire wire
"""Returns values that are endless, recursive, or far too large."""


def add_note(session, body):
    value = []
    value.append(value)
    return value


def find_notes(session, word):
    return {"x" * 40_000_000: 10**100_000}
