def transfer(session, source, target, cents):
    raise NotImplementedError
