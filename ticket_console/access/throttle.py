"""How often something may be tried: counted in this process, or in Redis where processes share the work."""

import math
import time
from functools import lru_cache
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ticket_console.kernel.errors import RateLimited
from ticket_console.kernel.settings import settings

# Of wrong passwords only: an office behind one address may log in all at once.
WRONG_PER_ADDRESS: Final = RateLimitItemPerMinute(30, namespace="log_in_address")
WRONG_PER_LOGIN: Final = RateLimitItemPerMinute(10, namespace="log_in_name")


def hit(limit: RateLimitItem, *whose: str) -> None:
    """Count one try; raises RateLimited with the seconds to wait once there were too many.

    With Redis it blocks, so it is called where a database may be called.
    """
    if not _limiter().hit(limit, *whose):
        raise _refusal(limit, *whose)


def refuse_beyond(limit: RateLimitItem, *whose: str) -> None:
    """Raise RateLimited if one more would be too many, without counting this one."""
    if not _limiter().test(limit, *whose):
        raise _refusal(limit, *whose)


def count(limit: RateLimitItem, *whose: str) -> None:
    """Count one without refusing it."""
    _limiter().hit(limit, *whose)


def forget() -> None:
    """Start counting anew."""
    _limiter().storage.reset()


@lru_cache(maxsize=1)
def _limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(storage_from_string(settings().redis_url or "memory://"))


def _refusal(limit: RateLimitItem, *whose: str) -> RateLimited:
    # The window belongs to the counter, which keeps its own time.
    wait = _limiter().get_window_stats(limit, *whose).reset_time - time.time()
    return RateLimited(retry_after=max(1, math.ceil(wait)))
