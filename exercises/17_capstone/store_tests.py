"""Tests that every store must pass, and a place on PostgreSQL to run them in."""

import contextlib
from collections.abc import Iterator

import contract
from contract import Store


@contextlib.contextmanager
def store_for_test(url: str) -> Iterator[Store]:
    """Give your store for one test; afterwards the database is as it was before."""
    raise NotImplementedError
    yield


def test_an_email_belongs_to_one_user(store: Store) -> None:
    """The first of the ten rules, as an example."""
    store.add_user("ada@tests.example", "Ada")
    try:
        store.add_user("ada@tests.example", "Another Ada")
    except contract.EmailTaken:
        return
    raise AssertionError("two users have one email")
