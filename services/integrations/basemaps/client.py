"""Our side of a server of imagery: tiles as pictures that were looked at, and what the server says of itself."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.conf import settings
from PIL import Image, UnidentifiedImageError

from services.integrations.basemaps.schemas import (
    CAPABILITIES_BYTES,
    MERCATOR,
    MOST_PIXELS,
    SCALE_AT_0,
    SCALE_SLACK,
    TILE_BYTES,
    Imagery,
    Kind,
)
from services.integrations.faults import AnswerUnclear
from services.integrations.http import Upstream, ask

WMTS: Final = "{http://www.opengis.net/wmts/1.0}"
OWS: Final = "{http://www.opengis.net/ows/1.1}"
TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
EMPTY_STATUSES: Final = frozenset({204, 404})


@dataclass(frozen=True, slots=True)
class Picture:
    """A tile: its bytes, and its media type by those bytes; no bytes where the server has none there."""

    content: bytes
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server says of a layer: its matrix sets in Web Mercator, and the zooms of the one asked for."""

    layers: tuple[str, ...]
    zooms: tuple[int, ...]


def upstream_of(imagery: Imagery) -> Upstream:
    """Return the server of an imagery; it may stand inside only where the operator named its host."""
    host = (urlsplit(imagery.address).hostname or "").lower()
    return Upstream(
        key=f"basemap-{imagery.key}", name=f"“{imagery.name}”", root=imagery.root, connect_s=2.0,
        total_s=settings.BASE_MAP_TIMEOUT_S, inside=host in settings.INSIDE_HOSTS,
    )  # fmt: skip


def fetch_tile(imagery: Imagery, z: int, x: int, y: int) -> Picture:
    """Return a tile. Raises ``NotReached``, and ``AnswerUnclear`` for what is no picture, refused, redirected or too large."""
    answer = ask(upstream_of(imagery), "GET", imagery.tile_path(z, x, y), most_bytes=TILE_BYTES)
    if answer.status in EMPTY_STATUSES:
        return Picture(b"")
    if answer.status in (401, 403, 418, 429):
        raise AnswerUnclear("key_refused", f"“{imagery.name}”没有给图：密钥不对、没有授权，或者用量到了上限。")
    if answer.status != 200:
        raise AnswerUnclear("refused", f"“{imagery.name}”没有给图（{answer.status}）。", status=answer.status)
    return Picture(answer.body, _kind_of(answer.body, imagery))


def _kind_of(content: bytes, imagery: Imagery) -> str:
    """Return the media type that bytes really are, whatever their sender calls them."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(TYPES)) as picture:
            found, side = picture.format or "", max(picture.size)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        raise AnswerUnclear("not_a_picture", f"“{imagery.name}”给的不是图片，没有采用。") from fault
    if side > MOST_PIXELS:
        raise AnswerUnclear("picture_too_large", f"“{imagery.name}”给的图片太大，没有采用。")
    return TYPES[found]


def fetch_offered(imagery: Imagery) -> Offered:
    """Return what a WMTS server offers. Raises ``AnswerUnclear`` for what is no such answer, ``NotReached``."""
    answer = ask(upstream_of(imagery), "GET", imagery.capabilities_path(), most_bytes=CAPABILITIES_BYTES)
    if answer.status != 200:
        raise AnswerUnclear(
            "refused", f"“{imagery.name}”没有说明它有哪些图层（{answer.status}）。", status=answer.status
        )
    try:
        root = fromstring(answer.body)
    except (ParseError, DefusedXmlException, ValueError) as fault:
        raise AnswerUnclear("answer_unclear", f"“{imagery.name}”的说明读不懂，它可能不是 WMTS。") from fault
    if root.tag != f"{WMTS}Capabilities":
        raise AnswerUnclear("answer_unclear", f"“{imagery.name}”的说明读不懂，它可能不是 WMTS。")
    layers = {_name(each): each for each in root.iter(f"{WMTS}Layer")}
    linked = {link.findtext(f"{WMTS}TileMatrixSet", "") for link in _links(layers.get(imagery.layer))}
    sets = {_name(each): each for each in root.iterfind(f"{WMTS}Contents/{WMTS}TileMatrixSet")}
    chosen = sets.get(imagery.matrix_set) if imagery.matrix_set in linked else None
    return Offered(tuple(layers), () if chosen is None else _zooms(chosen, imagery.matrix))


def check_offered(imagery: Imagery) -> Offered | None:
    """Return what a server offers when it offers this imagery, none for one that does not say. Raises as ``fetch_offered``."""
    if imagery.kind is Kind.TEMPLATE:
        return None
    offered = fetch_offered(imagery)
    if imagery.layer not in offered.layers:
        known = "、".join(offered.layers[:8])
        raise AnswerUnclear("layer_missing", f"“{imagery.name}”没有图层 {imagery.layer}，它有：{known}。")
    if not offered.zooms:
        raise AnswerUnclear(
            "matrix_missing", f"“{imagery.name}”的矩阵集 {imagery.matrix_set} 不是球面墨卡托，画不上去。"
        )
    return offered


def _name(element: Element) -> str:
    return element.findtext(f"{OWS}Identifier", "").strip()


def _links(layer: Element | None) -> list[Element]:
    return [] if layer is None else layer.findall(f"{WMTS}TileMatrixSetLink")


def _zooms(found: Element, matrix: str) -> tuple[int, ...]:
    """Return the zooms that a matrix set names as we do: at the scale of that zoom in Web Mercator."""
    if not found.findtext(f"{OWS}SupportedCRS", "").strip().endswith(MERCATOR):
        return ()
    scales = {_name(each): each.findtext(f"{WMTS}ScaleDenominator", "") for each in found.iter(f"{WMTS}TileMatrix")}
    zooms = []
    for zoom in range(25):
        try:
            scale = float(scales.get(matrix.replace("{z}", str(zoom)), "nan"))
        except ValueError:
            continue
        if abs(scale * 2**zoom / SCALE_AT_0 - 1) < SCALE_SLACK:
            zooms.append(zoom)
    return tuple(zooms)
