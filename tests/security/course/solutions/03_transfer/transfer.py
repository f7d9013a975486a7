from sqlalchemy import text


def transfer(session, source, target, cents):
    move = text("UPDATE accounts SET cents = cents + :by WHERE id = :id")
    session.execute(move, {"by": -cents, "id": source})
    session.execute(move, {"by": cents, "id": target})
    session.commit()
