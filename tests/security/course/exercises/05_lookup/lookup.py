def prepare(session):
    raise NotImplementedError


def find(session, word):
    raise NotImplementedError
