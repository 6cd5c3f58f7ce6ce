"""Which files check-ins keep: faces that wait for their check, and those kept as evidence."""

from __future__ import annotations

from collections.abc import Iterator

from geo.kept import KeptFolder
from services.fencing.checkins.models import CheckInPhoto
from services.fencing.checkins.photos import FOLDER, name_of


def _photos() -> Iterator[str]:
    return (name_of(file) for file in CheckInPhoto.objects.values_list("file", flat=True).iterator())


KEPT = (KeptFolder(FOLDER, "打卡照片", _photos),)
