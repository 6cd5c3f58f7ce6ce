"""How often one caller may ask: counted in Redis for all processes, by key for applications and by address for everyone else."""

from __future__ import annotations

import functools
import time
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from ninja.throttling import BaseThrottle
from redis import Redis

from geo.errors import TooMany
from services.access.queries import caller_of


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    pool = Redis.from_url(settings.REDIS_URL, socket_timeout=2).connection_pool
    return SlidingWindowCounterRateLimiter(
        RedisStorage("redis://quantu", connection_pool=pool, key_prefix="quantu-limits")
    )


class CallerLimit(BaseThrottle):
    """A number of requests a minute to one set of routes: ``anonymous`` by address, ``keyed`` by key or signed-in account.

    ``hourly`` is how many an address may make in an hour besides.
    """

    def __init__(self, name: str, *, anonymous: int, keyed: int, hourly: int = 0) -> None:
        self.name = name
        self.hourly = RateLimitItemPerHour(hourly) if hourly else None
        self.anonymous: RateLimitItem = RateLimitItemPerMinute(anonymous)
        self.keyed: RateLimitItem = RateLimitItemPerMinute(keyed)

    def allow_request(self, request: HttpRequest) -> bool:
        """Count this request; raise ``TooMany`` with the seconds to wait when it is one too many."""
        caller = caller_of(request)
        if caller.user is None:
            item, who = self.anonymous, f"ip:{address_of(request)}"
            if self.hourly:
                self._count(self.hourly, who)
        else:
            item, who = self.keyed, f"key:{caller.key.pk}" if caller.key else f"user:{caller.user.pk}"
        return self._count(item, who)

    def _count(self, item: RateLimitItem, who: str) -> bool:
        if _limiter().hit(item, self.name, who):
            return True
        wait = max(1, round(_limiter().get_window_stats(item, self.name, who).reset_time - time.time()))
        raise TooMany(
            "too_many_requests",
            f"请求太频繁，请 {wait} 秒后再试。需要更多次数请在“我的 · 接口密钥”中申请密钥。",
            retry_after=wait,
            limit=item.amount,
        )


def address_of(request: HttpRequest) -> str:
    """Return the caller's address; nginx writes it into ``X-Real-IP`` and is the only one who can reach us."""
    return str(request.headers.get("X-Real-IP") or request.META.get("REMOTE_ADDR") or "unknown")


HEAVY: Final = CallerLimit("heavy", anonymous=120, keyed=1200)
LIGHT: Final = CallerLimit("light", anonymous=600, keyed=6000)
FENCES: Final = CallerLimit("fences", anonymous=120, keyed=6000)
"""Vehicles ask without end, a thousand positions at once."""
PICTURES: Final = CallerLimit("pictures", anonymous=20, keyed=60)
EXPORTS: Final = CallerLimit("exports", anonymous=10, keyed=60, hourly=60)
"""Each is a whole file; how many are at work at a time is limited besides."""
