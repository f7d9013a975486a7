# threat: 19
# earns: 0
# ends: timeout timeout timeout
"""Right, and ten times slower than it may be."""

import time

from sqlalchemy import text


def transfer(session, source, target, cents):
    time.sleep(20)
    move = text("UPDATE accounts SET cents = cents + :by WHERE id = :id")
    session.execute(move, {"by": -cents, "id": source})
    session.execute(move, {"by": cents, "id": target})
    session.commit()
