"""Where answers are kept: in the memory of this process, or in Redis for all of them."""

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import Any

from dogpile.cache import CacheRegion, make_region
from sqlalchemy.orm import Session, sessionmaker

from tracker.caching.cache import LIFETIMES, Cache
from tracker.errors import ConfigurationError
from tracker.settings import Settings

MOST_ANSWERS = 10_000  # in memory, of each kind
TOKENS = timedelta(days=1)  # a token that goes earlier would take good answers with it

# Seconds after which Redis counts as gone, and the database answers: a visitor is waiting.
_PATIENCE = 0.5
# Seconds after which somebody else may load an answer, because who began has died.
_LOCK_SECONDS = 30


class Bounded(OrderedDict[str, Any]):
    """A dictionary that drops its oldest entries: one that only grew would fill the memory."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._lock = threading.Lock()

    def __setitem__(self, key: str, value: Any) -> None:
        """Add an entry, and drop the oldest ones beyond the limit."""
        with self._lock:
            super().__setitem__(key, value)
            while len(self) > self._most:
                self.popitem(last=False)


def make_cache(sessions: sessionmaker[Session], settings: Settings) -> Cache:
    """Make the cache that the settings describe, and connect to nothing yet.

    Arguments:
        sessions: makes the sessions that answers are loaded in.

    Raises:
        ConfigurationError: REDIS_URL is set, but the package that talks to Redis is missing.
    """
    url = settings.redis_url
    lifetimes = {"tokens": TOKENS, **{str(kind): LIFETIMES[kind] for kind in LIFETIMES}}
    if url is None:
        regions = {name: _in_memory(lifetime) for name, lifetime in lifetimes.items()}
        failures: tuple[type[Exception], ...] = ()
    else:
        failures = _redis_failures()
        regions = {
            name: _in_redis(name, lifetime, url.get_secret_value())
            for name, lifetime in lifetimes.items()
        }
    kept = {kind: regions[kind] for kind in LIFETIMES}
    return Cache(sessions, kept, regions["tokens"], failures)


def _in_memory(lifetime: timedelta) -> CacheRegion:
    return make_region().configure(
        "dogpile.cache.memory",
        expiration_time=lifetime,
        arguments={"cache_dict": Bounded(MOST_ANSWERS)},
    )


def _in_redis(name: str, lifetime: timedelta, url: str) -> CacheRegion:
    region = make_region(
        key_mangler=lambda key: f"tracker:{name}:{key}",
        # Text in, text out. The default would be pickle, and who can write to Redis could then run
        # code here.
        serializer=str.encode,
        deserializer=bytes.decode,
    )
    return region.configure(
        "dogpile.cache.redis",
        expiration_time=lifetime,
        arguments={
            "url": url,
            "redis_expiration_time": 2 * int(lifetime.total_seconds()),
            # Of all processes that miss the same answer, one loads it and the others wait.
            "distributed_lock": True,
            "thread_local_lock": False,
            "lock_timeout": _LOCK_SECONDS,
            "lock_sleep": 0.02,
            "socket_timeout": _PATIENCE,
            "socket_connect_timeout": _PATIENCE,
        },
    )


def _redis_failures() -> tuple[type[Exception], ...]:
    try:
        from redis.exceptions import RedisError
    except ImportError:
        raise ConfigurationError(
            "REDIS_URL is set, but the package redis is not installed. Install it with "
            "pip install 'kit[cache]', or unset REDIS_URL to keep the cache in memory."
        ) from None
    return (RedisError,)
