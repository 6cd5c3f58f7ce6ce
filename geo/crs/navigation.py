"""Links that open a navigation app at a place: each app gets the datum and the order of numbers it expects."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from geo.crs.codes import System
from geo.crs.coordinates import Coordinate
from geo.crs.transform import convert
from geo.errors import BadInput

MAX_NAME: Final = 60
FALLBACK_NAME: Final = "目的地"


@dataclass(frozen=True, slots=True)
class _Mode:
    """One way to travel in the words of each app; empty where the app has none and chooses itself."""

    amap_web: str
    amap_app: str
    baidu: str
    tencent: str
    apple: str


_WALK = _Mode("walk", "2", "walking", "walk", "w")
_MODES: Final[dict[str, _Mode]] = {
    **dict.fromkeys(("walk", "elder", "pram", "wheelchair"), _WALK),
    "bicycle": _Mode("ride", "3", "riding", "bike", ""),
    "car": _Mode("car", "0", "driving", "drive", "d"),
    "transit": _Mode("bus", "1", "transit", "bus", "r"),
}


def navigation_links(
    name: str, coordinate: Coordinate, mode: str, *, region: str = "上海", source: str = "quantu"
) -> dict[str, str]:
    """Return links by app key: amap_web, amap_android, amap_ios, baidu_web, baidu_app, tencent_web, apple, geo.

    ``mode`` is a traveller (walk, elder, pram, wheelchair, bicycle, car) or ``transit``; ``source`` names us to the apps (for
    Tencent it is the referer key). Raises ``BadInput`` for another mode and ``OutOfRange`` outside mainland China.
    """
    if mode not in _MODES:
        raise BadInput("mode_unknown", f"不认识的出行方式“{mode[:20]}”，可用：{'、'.join(_MODES)}。")
    how, title = _MODES[mode], _clean(name)
    mars, earth = convert(coordinate, System.GCJ02), convert(coordinate, System.WGS84)
    lon, lat = f"{mars.x:.7f}", f"{mars.y:.7f}"
    amap_app = _query(sourceApplication=source, dlat=lat, dlon=lon, dname=title, dev="0", t=how.amap_app)
    baidu = {"coord_type": "gcj02", "mode": how.baidu, "src": source}
    return {
        "amap_web": "https://uri.amap.com/navigation?"
        + _query(
            to=f"{lon},{lat},{title.replace(',', '，')}",
            mode=how.amap_web,
            coordinate="gaode",
            src=source,
            callnative="1",
        ),
        "amap_android": f"amapuri://route/plan/?{amap_app}",
        "amap_ios": f"iosamap://path?{amap_app}",
        "baidu_web": "https://api.map.baidu.com/direction?"
        + _query(destination=f"latlng:{lat},{lon}|name:{_unpiped(title)}", region=region, output="html", **baidu),
        "baidu_app": "baidumap://map/direction?"
        + _query(destination=f"name:{_unpiped(title)}|latlng:{lat},{lon}", **baidu),
        "tencent_web": "https://apis.map.qq.com/uri/v1/routeplan?"
        + _query(type=how.tencent, to=title, tocoord=f"{lat},{lon}", referer=source),
        "apple": "https://maps.apple.com/?" + _query(daddr=f"{lat},{lon}", dirflg=how.apple, q=title),
        "geo": f"geo:{earth.y:.7f},{earth.x:.7f}",
    }


def _query(**fields: str) -> str:
    """Encode every value, so that no name can end its own field; empty fields are left out."""
    return urlencode({key: value for key, value in fields.items() if value}, quote_via=quote, safe=",:")


def _clean(name: str) -> str:
    """Return a name on one line, without control characters, cut to what the apps show."""
    visible = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in name)
    return " ".join(visible.split())[:MAX_NAME] or FALLBACK_NAME


def _unpiped(name: str) -> str:
    """Replace the two marks that structure Baidu's destination by their full-width twins: encoding does not survive there."""
    return name.replace("|", "｜").replace(":", "：")
