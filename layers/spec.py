"""What a package declares when it wants to be drawn: frozen values in its ``map_layers.py``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Detail:
    """What is drawn from one zoom on, until the next detail: a constant SQL condition over the table ``t``."""

    from_zoom: int
    where: str = "TRUE"


@dataclass(frozen=True, slots=True)
class Choice:
    """A request parameter that narrows a layer: ``condition`` is constant SQL that uses ``%(name)s`` as a list of words."""

    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer of the catalogue.

    ``table`` names a table or a constant subquery with columns ``id`` and ``geom`` (CGCS2000); ``attributes`` are SQL
    expressions over ``t``, with ``AS`` where the name differs; ``order`` puts the most important first; ``families`` name the
    imports whose publishing makes older tiles stale, ``touched`` a constant SQL expression that changes when a row is edited.
    """

    key: str
    title: str
    geometry: Literal["point", "line", "polygon"]
    table: str
    attributes: tuple[str, ...]
    details: tuple[Detail, ...]
    families: tuple[str, ...]
    order: str = ""
    choices: tuple[Choice, ...] = ()
    cluster_px: int = 0
    cluster_below: int = 0
    max_zoom: int = 16
    touched: str = ""

    def detail_at(self, zoom: int) -> Detail | None:
        """Return what is drawn at a zoom, or none when the layer begins deeper."""
        found = None
        for detail in self.details:
            if detail.from_zoom <= zoom:
                found = detail
        return found

    @property
    def min_zoom(self) -> int:
        """Return the zoom the layer begins at."""
        return self.details[0].from_zoom
