"""What others are told of drafts, in the transaction in which it happens: a receiver that raises undoes it."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

draft_changed: Final = Signal()
"""A draft was changed or is thrown away: ``sender`` is its model, ``edition`` locked, ``said`` in words, and ``scope``."""
