"""Named errors of the whole platform.

Each error carries a stable ``code`` for programs and a sentence in Chinese for people; ``web.api.errors`` holds the
only table that turns them into HTTP.
"""

from __future__ import annotations

from typing import Any


class CityError(Exception):
    """Something the caller can understand and mend, or must be told plainly."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        """Keep a stable ``code``, a Chinese sentence saying what to do next, and machine-readable ``detail``."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class BadInput(CityError):
    """The request or the file says something that cannot be meant."""


class Unauthenticated(CityError):
    """Nobody has said who is asking."""


class Forbidden(CityError):
    """The one who asks does not hold the duty or the region."""


class NotFound(CityError):
    """There is no such thing, or not for the one who asks."""


class MethodRefused(CityError):
    """The address is not asked by this method of HTTP."""


class Conflict(CityError):
    """The thing has changed, or is in a state that does not allow the act."""


class TooLarge(CityError):
    """The input is beyond the limits that protect the service."""


class TooMany(CityError):
    """Too many requests from one caller; ``detail['retry_after']`` says how long to wait, in seconds."""


class Unavailable(CityError):
    """A part the answer needs is not ready; trying again later may help."""
