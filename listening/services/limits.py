"""How often somebody may ask, so that nobody takes the site away from the others. The limits are settings.LIMITS.

Requests are counted by calendar minute, in the cache "limits": one number for each limit, asker and minute. An asker is a word that the
caller chooses (an address, a token); only a digest of it is kept, for two minutes.
"""

import hashlib
import logging
import time
from contextlib import suppress

from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)
_WINDOW_S = 60
#: After an error nothing is counted for so long: the requests of a busy site would else all wait for a Redis that hangs.
_PAUSE_S = 10
_silent_until = 0.0


def seconds_to_wait(limit: str, asker: str) -> int:
    """Count one request. 0 where it is allowed, else the seconds, 1 to 60, after which the next one is.

    A cache that does not answer allows everything: an answer is worth more than a count.
    """
    global _silent_until
    allowed, now = settings.LIMITS[limit], time.time()
    if not allowed or now < _silent_until:
        return 0
    digest = hashlib.blake2b(asker.encode(errors="replace"), digest_size=12).hexdigest()
    try:
        asked = _count(f"{limit}:{digest}:{int(now // _WINDOW_S)}")
    except RedisError as error:
        _silent_until = now + _PAUSE_S
        _log.warning("Requests are not counted for %d s: %s", _PAUSE_S, type(error).__name__)
        return 0
    return 0 if asked <= allowed else _WINDOW_S - int(now % _WINDOW_S)


def _count(key: str) -> int:
    """How often the key was counted, this time included. Most requests are not the first of their minute: they take one look."""
    counts = caches["limits"]
    with suppress(ValueError):  # nobody has asked yet
        return counts.incr(key)
    if counts.add(key, 1, 2 * _WINDOW_S):
        return 1
    with suppress(ValueError):  # another process was first, and the cache has thrown it out since
        return counts.incr(key)
    return 1
