# threat: 4
# earns: 0
# ends: raised raised raised
"""Raises what passes through `except Exception`, and pytest's own outcomes where there are any."""


def add_note(session, body):
    raise KeyboardInterrupt


def find_notes(session, word):
    class Skipped(BaseException):
        pass

    Skipped.__module__ = "_pytest.outcomes"
    raise Skipped("skipped: all is well")
