"""Which files uploaded lists keep: their cells, people's addresses among them."""

from __future__ import annotations

from collections.abc import Iterator

from geo.addresses.standardising.models import Batch
from geo.addresses.standardising.queries import file_of
from geo.kept import KeptFolder


def _lists() -> Iterator[str]:
    return (file_of(batch).name for batch in Batch.objects.only("pk").iterator())


KEPT = (KeptFolder("lists", "批量规范名单", _lists),)
