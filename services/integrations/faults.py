"""What can come of asking a system of others, as the asker must tell them apart: certainly not done, or not known."""

from __future__ import annotations

from typing import Final

from geo.errors import Unavailable

RESTING: Final = "resting"
"""The code of ``NotReached`` when nothing was tried: the system failed too often and is left alone for a while."""


class NotConnected(Unavailable):
    """Nobody has said where the system is: nothing was sent."""


class NotReached(Unavailable):
    """The request certainly did not arrive (no connection, breaker open, address refused): asking again is safe."""


class AnswerUnclear(Unavailable):
    """The request may have arrived, and the answer did not, or made no sense: ask again only where that does no harm."""
