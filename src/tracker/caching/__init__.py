"""Answers that are kept for a while, and forgotten as soon as a write spoils them.

Start with `Cache`::

    cache = make_cache(sessions, settings)   # in memory, or in Redis where REDIS_URL is set
    cache.watch(sessions)                    # every write of these sessions is noticed
    page = cache.catalog(difficulty=Difficulty.BEGINNER)

Why nothing stale is left. What an answer depends on has names (tags), and each tag has a token: a
random text. The tokens are part of the key under which an answer is kept.

1. A reader takes the tokens first, then asks the database in a transaction of its own.
2. A writer takes the tokens of what it writes away: when it writes ("closed": nobody keeps
   anything), and again when its transaction has ended.
3. So whoever keeps an answer under the tokens of now took them after the last writer had ended, and
   asked the database after that. What was kept under older tokens has a key that nobody can make
   any more, and goes when its time is over.

No list of keys is searched, and no pattern of names has to match.

What the promise does not cover: a write that goes round SQLAlchemy's sessions (psql, COPY) spoils
nothing until `Cache.clear()` is called, and with the cache in memory, neither does one of another
process. Then an answer is as old as its lifetime at most.
"""

from tracker.caching.cache import LIFETIMES, Cache, Kind, Statistics
from tracker.caching.stores import make_cache

__all__ = ["LIFETIMES", "Cache", "Kind", "Statistics", "make_cache"]
