"""Hashes of passwords. Given: there is nothing to change in it.

The costs are far below those of real life, so that a check does not have to wait for them.
"""

from argon2 import PasswordHasher

_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def hash_password(password: str) -> str:
    """Return the hash to store: another one each time, because the salt is drawn at random."""
    return _HASHER.hash(password)
