"""What others are told of cases, in the transaction in which it happens: a receiver that raises undoes it."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

case_ended: Final = Signal()
"""A case came to its end, by whatever result: ``case`` (saved), ``scope`` of who acted."""
