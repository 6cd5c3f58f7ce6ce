"""What others are told of submissions, in the transaction in which it happens: a receiver that raises undoes it."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

handed_in: Final = Signal()
"""A submission was handed in, for the first time or with what was supplemented: ``submission``, ``scope``, ``number`` (of its
round)."""
