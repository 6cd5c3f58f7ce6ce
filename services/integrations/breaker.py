"""A circuit breaker shared by all processes: after some failures in a row a system is left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.core.cache import cache

FAILURES: Final = 5
REST_S: Final = 30
REMEMBER_S: Final = 600


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one system. ``failures`` in a row open it for ``rest_s`` seconds; then one caller may try."""

    name: str
    failures: int = FAILURES
    rest_s: int = REST_S

    def admits(self) -> bool:
        """Say whether a request may go out now; of those waiting after a rest exactly one may, until it reports."""
        if cache.get(self._count, 0) < self.failures:
            return True
        if cache.get(self._rest):
            return False
        return bool(cache.add(self._trial, 1, timeout=self.rest_s))

    def succeeded(self) -> None:
        """Close the breaker."""
        cache.delete_many([self._count, self._rest, self._trial])

    def failed(self) -> None:
        """Count a failure, and open the breaker when it is one too many."""
        cache.add(self._count, 0, timeout=REMEMBER_S)
        try:
            count = cache.incr(self._count)
        except ValueError:  # it ran out in between
            count = 1
        if count >= self.failures:
            cache.set(self._rest, 1, timeout=self.rest_s)
            cache.delete(self._trial)

    @property
    def _count(self) -> str:
        return f"breaker:{self.name}:count"

    @property
    def _rest(self) -> str:
        return f"breaker:{self.name}:rest"

    @property
    def _trial(self) -> str:
        return f"breaker:{self.name}:trial"
