"""The contract with servers of imagery: how a tile is asked for, and what an answer must be. Pure.

Tiles are Web Mercator, 256 px, numbered from the north-west as in WMTS and XYZ. A ``wmts`` server is asked by key-value pairs
(OGC 07-057r7): ``GetCapabilities`` once when staff check it, ``GetTile`` for a tile. A ``template`` is an address with ``{z}``,
``{x}`` and ``{y}`` (or ``{-y}`` for rows counted from the south): WMTS by REST, and XYZ. A key is one parameter of the query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from geo.crs.codes import WEB_MERCATOR
from geo.errors import BadInput

TILE_BYTES: Final = 400_000
CAPABILITIES_BYTES: Final = 4_000_000
MOST_PIXELS: Final = 1024
"""The longest side of a picture."""
SCALE_AT_0: Final = 559_082_264.0287178
"""The scale denominator of zoom 0 in GoogleMapsCompatible."""
SCALE_SLACK: Final = 0.1
"""Some servers reckon with 96 dpi (×1.058); the next zoom is ×2."""
MERCATOR: Final = (str(WEB_MERCATOR), "900913")
"""Web Mercator, as its code is written now and as it was before there was one."""
PLACEHOLDER: Final = re.compile(r"\{(z|x|y|-y)\}")
PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?&=,;+@!*()-]+")
WORD: Final = re.compile(r"[A-Za-z0-9._:/+-]{1,80}")
HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}")
SHIFTED_HOSTS: Final = ("autonavi.com", "amap.com", "qq.com", "gtimg.com", "google.cn", "baidu.com", "bdimg.com")
"""Hosts whose tiles lie on GCJ-02 or BD-09: some 500 m beside everything of ours."""


class Kind(StrEnum):
    """How a server is asked."""

    WMTS = "wmts"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Imagery:
    """One layer of one server. ``matrix`` writes the zoom, such as ``{z}`` or ``EPSG:3857:{z}``; ``secret`` is never shown."""

    key: str
    name: str
    kind: Kind
    address: str
    layer: str = ""
    style: str = "default"
    matrix_set: str = "w"
    matrix: str = "{z}"
    picture: str = "tiles"
    secret_name: str = ""
    secret: str = field(default="", repr=False)

    @property
    def root(self) -> str:
        """Return scheme, host and port."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def tile_path(self, z: int, x: int, y: int) -> str:
        """Return the path and query of a tile, its key among them."""
        if self.kind is Kind.WMTS:
            return self._asked(
                REQUEST="GetTile", LAYER=self.layer, STYLE=self.style, TILEMATRIXSET=self.matrix_set, FORMAT=self.picture,
                TILEMATRIX=self.matrix.replace("{z}", str(z)), TILEROW=str(y), TILECOL=str(x),
            )  # fmt: skip
        numbers = {"z": z, "x": x, "y": y, "-y": 2**z - 1 - y}
        filled = PLACEHOLDER.sub(lambda found: str(numbers[found[1]]), self.address)
        return self._with_key(filled.removeprefix(self.root))

    def capabilities_path(self) -> str:
        """Return the path and query of what a server says of itself."""
        return self._asked(REQUEST="GetCapabilities")

    def _asked(self, **values: str) -> str:
        path = urlsplit(self.address).path or "/"
        return self._with_key(f"{path}?{urlencode({'SERVICE': 'WMTS', 'VERSION': '1.0.0', **values}, safe=':/')}")

    def _with_key(self, path: str) -> str:
        if not self.secret:
            return path
        return f"{path}{'&' if '?' in path else '?'}{self.secret_name}={quote(self.secret, safe='')}"


def checked_address(text: str, *, kind: Kind, inside_hosts: list[str]) -> str:
    """Return an address that tiles may be asked at: https at a named host, or a host the operator named as inside.

    Raises ``BadInput`` with what to write instead.
    """
    address = text.strip()
    outside = PLACEHOLDER.sub("0", address)
    try:
        parts = urlsplit(outside)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _odd() from None
    if (
        not PLAIN.fullmatch(outside)
        or not HOST.fullmatch(host)
        or parts.username
        or "//" in parts.path
        or ".." in parts.path
    ):
        raise _odd()
    inside = host in inside_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and inside):
        raise BadInput(
            "address_open", "网址要以 https:// 开头；内网地址请先请系统管理员列入允许访问的主机。", field="address"
        )
    if (port not in (None, 443) or "." not in host or host.replace(".", "").isdigit()) and not inside:
        raise BadInput(
            "address_open", "网址要用域名和标准端口；内网地址请先请系统管理员列入允许访问的主机。", field="address"
        )
    if any(host == each or host.endswith(f".{each}") for each in SHIFTED_HOSTS):
        raise BadInput(
            "datum_shifted", "这家的底图有偏移，会和我们的图层错开约 500 米，不能接入。请改用天地图或“一张图”。",
            field="address",
        )  # fmt: skip
    if PLACEHOLDER.search(address.partition("://")[2].partition("/")[0]):
        raise _odd()
    named = set(PLACEHOLDER.findall(address))
    if kind is Kind.TEMPLATE and not ({"z", "x"} <= named and len(named & {"y", "-y"}) == 1):
        raise BadInput(
            "template_incomplete", "网址里要有 {z}、{x} 和 {y}（行号从南往北数的写 {-y}）。", field="address"
        )
    if kind is Kind.WMTS and (named or parts.query):
        raise BadInput(
            "wmts_plain", "WMTS 只填到问号前面，例如 https://t0.tianditu.gov.cn/img_w/wmts。", field="address"
        )
    return address


def _odd() -> BadInput:
    return BadInput("address_odd", "网址写得不对：要完整，中间没有空格，不带用户名。", field="address")
