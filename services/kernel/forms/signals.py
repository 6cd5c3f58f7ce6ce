"""What others are told of submissions, in the transaction in which it happens: a receiver that raises undoes it."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

judging: Final = Signal()
"""A submission is sound as a form and about to be handed in: ``submission``, ``answers``, ``scope``. A receiver returns a
sequence of ``answering.Fault`` that the form itself cannot know of; with any, nothing is handed in and the draft keeps all."""
handed_in: Final = Signal()
"""A submission was handed in, for the first time or with what was supplemented: ``submission``, ``scope``, ``number`` (of its
round)."""
