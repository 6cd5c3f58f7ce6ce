"""The GDAL of pyogrio in a process of its own: it holds Python's lock while it waits for the server, which is in the test's."""

from __future__ import annotations

from typing import Any

import pyogrio


def send_key(file: str | None) -> None:
    """Let GDAL send the lines of a file as headers with everything it asks for, or none any more."""
    pyogrio.set_gdal_config_options({"GDAL_HTTP_HEADER_FILE": file})


def send_bearer(token: str) -> None:
    """Let GDAL send a token as a bearer's, and no header of a file."""
    pyogrio.set_gdal_config_options(
        {"GDAL_HTTP_HEADER_FILE": None, "GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token}
    )


def layers_of(source: str) -> list[str]:
    """Return the names of the layers of a source."""
    return [str(name) for name, _ in pyogrio.list_layers(source)]


def read(source: str, layer: str, options: dict[str, str], **narrowed: Any) -> tuple[Any, ...]:
    """Return what GDAL reads of a layer: what it says of itself, the shapes as WKB, and the columns."""
    meta, _, shapes, columns = pyogrio.raw.read(source, layer=layer, **narrowed, **options)
    return {**meta, "fields": list(meta["fields"])}, shapes, columns
