"""What a package declares of visits to people's homes, in its ``visit_kinds.py`` as ``VISIT_KINDS``. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VisitKind:
    """A kind of visit and how its check-ins are judged.

    ``face`` asks who comes to confirm himself by his face. ``tolerance_m`` is how far from the door still counts, ``vaguest_m``
    the worst accuracy that may decide. A check-in is in time from ``early_min`` before the visit to ``late_min`` after it. The
    address is shown to who goes there from ``shown_h`` hours before. ``keeps_photo`` keeps the picture of a face as evidence;
    else it goes as soon as the check is over.
    """

    key: str
    title: str
    face: bool = True
    tolerance_m: int = 150
    vaguest_m: int = 150
    early_min: int = 30
    late_min: int = 60
    shown_h: int = 12
    keeps_photo: bool = False
