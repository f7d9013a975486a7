def create_tables(session):
    raise NotImplementedError
