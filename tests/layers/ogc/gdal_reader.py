"""The GDAL of pyogrio in a process of its own: it holds Python's lock while it waits for the server, which is in the test's."""

from __future__ import annotations

from typing import Any

import pyogrio


def layers_of(source: str) -> list[str]:
    """Return the names of the layers of a source."""
    return [str(name) for name, _ in pyogrio.list_layers(source)]


def read(source: str, layer: str, options: dict[str, str], **narrowed: Any) -> tuple[Any, ...]:
    """Return what GDAL reads of a layer: what it says of itself, the shapes as WKB, and the columns."""
    meta, _, shapes, columns = pyogrio.raw.read(source, layer=layer, **narrowed, **options)
    return {**meta, "fields": list(meta["fields"])}, shapes, columns
