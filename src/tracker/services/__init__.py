"""Units of work: each function is one thing that a user of the tracker does, wholly or not at all.

A service takes a Session first and owns its transaction: it commits on success, and rolls back on
    any error before it passes the error on. What the session had pending belongs to the same
    transaction.
"""
