"""A server of imagery to try against: real WMTS 1.0.0 (KVP and REST) and XYZ over HTTP, failing in each known way."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from PIL import Image, ImageDraw

from geo.crs.codes import CGCS2000
from services.integrations.basemaps.schemas import MERCATOR, SCALE_AT_0, TILE_BYTES
from services.integrations.simulating import HttpSimulator, Reply

Fails = Literal["", "broken", "page", "redirect", "slow", "wrong", "giant", "bomb", "gone"]
SIDE: Final = 256
DEEPEST: Final = 18
LOOKS: Final = {"img": (52, 84, 58), "cia": None, "oblique": (134, 104, 78)}
"""The colour of each layer; ``cia`` are names on nothing."""
REST: Final = re.compile(r"/rest/(\w+)/default/w/(\d+)/(\d+)/(\d+)\.(png|jpg)")
XYZ: Final = re.compile(r"/xyz/(\w+)/(\d+)/(\d+)/(\d+)\.(png|jpg)")
KVP: Final = re.compile(r"/(\w+)_w/wmts")


class Simulator(HttpSimulator):
    """A running server; use it as a context manager. ``fails`` may change while it runs, ``asked`` is what it was asked for.

    ``fails``: ``broken`` answers 500, ``page`` a page of HTML under 200, ``redirect`` leads inside, ``slow`` waits, ``wrong``
    calls text a PNG, ``giant`` sends more than a tile may have, ``bomb`` a small PNG of 20,000 × 20,000 px, ``gone`` hangs up.
    """

    def __init__(self, *, key: str = "", port: int = 0, slow_s: float = 5.0) -> None:
        """Bind the port (0: any free one) without serving yet; with a ``key``, the parameter ``tk`` must bear it."""
        self.key, self.slow_s = key, slow_s
        self.fails: Fails = ""
        self.asked: list[str] = []
        super().__init__(port=port)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Answer as a server of imagery, or fail as it was told to."""
        parts = urlsplit(path)
        query = {name.lower(): value for name, value in parse_qsl(parts.query)}
        self.asked.append(parts.path if "request" not in query else f"{parts.path} {query['request']}")
        if self.fails:
            return self._failed()
        if self.key and query.get("tk") != self.key:
            return Reply(403, "<html>非法Key</html>".encode(), "text/html; charset=utf-8")
        if KVP.fullmatch(parts.path) and query.get("service", "").upper() == "WMTS":
            return self._kvp(query)
        if found := REST.fullmatch(parts.path):
            layer, z, row, column, ending = found.groups()
            return _tile(layer, int(z), int(column), int(row), ending)
        if found := XYZ.fullmatch(parts.path):
            layer, z, column, row, ending = found.groups()
            return _tile(layer, int(z), int(column), int(row), ending)
        return Reply(404, b"", "text/plain")

    def _failed(self) -> Reply | None:
        if self.fails == "gone":
            return None
        if self.fails == "slow":
            self.wait(self.slow_s)
        return {
            "broken": Reply(500, b"Internal Server Error", "text/plain"),
            "page": Reply(200, "<html>服务维护中</html>".encode(), "text/html; charset=utf-8"),
            "redirect": Reply(302, b"", "text/plain", {"Location": "http://169.254.169.254/latest/meta-data/"}),
            "slow": Reply(200, b"", "image/png"),
            "wrong": Reply(200, b"<script>alert(1)</script>", "image/png"),
            "giant": Reply(200, b"\x89PNG\r\n\x1a\n" + b"0" * (TILE_BYTES + 1), "image/png"),
            "bomb": Reply(200, _bomb(20_000), "image/png"),
        }[self.fails]

    def _kvp(self, query: Mapping[str, str]) -> Reply:
        if query.get("request") == "GetCapabilities":
            return Reply(200, _capabilities(self.url).encode(), "text/xml; charset=utf-8")
        asked = tuple(query.get(name, "") for name in ("tilematrixset", "tilematrix", "tilecol", "tilerow"))
        if query.get("request") != "GetTile" or asked[0] != "w" or not all(each.isdigit() for each in asked[1:]):
            return Reply(400, b"<ExceptionReport/>", "text/xml")
        z, x, y = map(int, asked[1:])
        return _tile(query.get("layer", ""), z, x, y, "png")


def _tile(layer: str, z: int, x: int, y: int, ending: str) -> Reply:
    if layer not in LOOKS or not 1 <= z <= DEEPEST or not (0 <= x < 2**z and 0 <= y < 2**z):
        return Reply(404, b"", "text/plain")
    ground = LOOKS[layer]
    picture = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0) if ground is None else (*ground, 255))
    pen = ImageDraw.Draw(picture)
    if ground is None:
        pen.text((100, 120), f"{z}/{x}/{y}", fill=(255, 255, 255, 255), stroke_width=2, stroke_fill=(0, 0, 0, 255))
    else:
        for step in range(0, SIDE, 16):  # something to see: squares of a field, or slanting roofs
            light = tuple(min(255, part + (step * 7 + x * 11 + y * 5) % 36) for part in ground)
            slant = 40 if layer == "oblique" else 0
            pen.polygon(
                [(step, 0), (step + 10, 0), (step + 10 - slant, SIDE), (step - slant, SIDE)], fill=(*light, 255)
            )
    held = io.BytesIO()
    if ending == "jpg":
        picture.convert("RGB").save(held, "JPEG", quality=80)
    else:
        picture.save(held, "PNG")
    return Reply(
        200, held.getvalue(), "image/jpeg" if ending == "jpg" else "image/png", {"Cache-Control": "max-age=600"}
    )


def _bomb(side: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def _capabilities(url: str) -> str:
    layers = "".join(
        f"<Layer><ows:Title>{name}</ows:Title><ows:Identifier>{name}</ows:Identifier>"
        '<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style><Format>tiles</Format>'
        "<TileMatrixSetLink><TileMatrixSet>w</TileMatrixSet></TileMatrixSetLink>"
        "<TileMatrixSetLink><TileMatrixSet>c</TileMatrixSet></TileMatrixSetLink></Layer>"
        for name in LOOKS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Capabilities version="1.0.0" xmlns="http://www.opengis.net/wmts/1.0" '
        'xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<ows:OperationsMetadata><ows:Operation name="GetTile"><ows:DCP><ows:HTTP><ows:Get xlink:href="{url}"/>'
        "</ows:HTTP></ows:DCP></ows:Operation></ows:OperationsMetadata>"
        f"<Contents>{layers}{_matrices('w', MERCATOR[-1])}{_matrices('c', str(CGCS2000))}</Contents></Capabilities>"
    )


def _matrices(name: str, code: str) -> str:
    """Return a matrix set; its first is 1, and its scales are those of 96 dpi, as the national one has them."""
    each = "".join(
        f"<TileMatrix><ows:Identifier>{z}</ows:Identifier><ScaleDenominator>{SCALE_AT_0 * 1.0583 / 2**z}"
        f"</ScaleDenominator><TopLeftCorner>-20037508.34 20037508.34</TopLeftCorner><TileWidth>{SIDE}</TileWidth>"
        f"<TileHeight>{SIDE}</TileHeight><MatrixWidth>{2**z}</MatrixWidth><MatrixHeight>{2**z}</MatrixHeight></TileMatrix>"
        for z in range(1, DEEPEST + 1)
    )
    system = f"<ows:SupportedCRS>urn:ogc:def:crs:EPSG::{code}</ows:SupportedCRS>"
    return f"<TileMatrixSet><ows:Identifier>{name}</ows:Identifier>{system}{each}</TileMatrixSet>"
