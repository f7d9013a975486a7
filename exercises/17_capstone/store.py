"""The application's store. It was written on a Friday, to have something to show."""

from contract import Store
from memory import MemoryStore


def open_store(url: str) -> Store:
    """Give the store that the application uses from its start to its end.

    Arguments:
        url: of the database, as SQLAlchemy takes it.
    """
    return MemoryStore()
