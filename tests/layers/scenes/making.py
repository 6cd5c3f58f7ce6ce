"""Small scenes as people would send them: a block as glb, tilesets of it, packages."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from fixtures.scenes.meshes import Mesh, Part, Surface, box, glb_of
from geo.crs.earth_centred import local_frame

LON, LAT = 121.4737, 31.2304
RING = np.array([(-10.0, -5.0), (10.0, -5.0), (10.0, 5.0), (-10.0, 5.0), (-10.0, -5.0)])


def block(*, tall: float = 12.0, ring: Any = RING, name: str = "1 层") -> bytes:
    """Return a block of 20 by 10 metres (east by north) about its origin."""
    mesh = Mesh()
    box(mesh, np.asarray(ring, dtype=np.float64), 0.0, tall)
    return glb_of([Part(name, {"wall": mesh})], {"wall": Surface((0.8, 0.7, 0.6))}, maker="tests")


def document_of(glb: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the document and the bytes of a binary model."""
    size = struct.unpack_from("<I", glb, 12)[0]
    found: dict[str, Any] = orjson.loads(glb[20 : 20 + size])
    return found, glb[28 + size :]


def tile(uri: str | None = "block.glb", **more: Any) -> dict[str, Any]:
    """Return a tile whose volume holds the block."""
    content = {"content": {"uri": uri}} if uri else {}
    return {"boundingVolume": {"box": [0, 0, 6, 11, 0, 0, 0, 6, 0, 0, 0, 7]}, "geometricError": 0, **content, **more}


def tileset(root: Mapping[str, Any], version: str = "1.1", **more: Any) -> bytes:
    """Return the document of a tileset."""
    return orjson.dumps({"asset": {"version": version}, "geometricError": 10, "root": root, **more})


def on_earth(lon: float = LON, lat: float = LAT, height: float = 10.0) -> list[float]:
    """Return the transform of a tile that stands at a position."""
    found: list[float] = local_frame(lon, lat, height).T.reshape(-1).tolist()
    return found


def package(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()
