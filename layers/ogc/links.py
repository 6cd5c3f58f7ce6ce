"""Links of documents: what they are to the document, where they lead and in which form. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from layers.ogc.media import GEOJSON, HTML, JSON, SCHEMA

LOGICAL: Final = "http://www.opengis.net/def/rel/ogc/1.0/schema"
QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEMES: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
CONFORMANCE: Final = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
DATA: Final = "http://www.opengis.net/def/rel/ogc/1.0/data"

Link = dict[str, str]
_FORMS: Final = {"json": JSON, "html": HTML}


def link(rel: str, href: str, kind: str, title: str = "") -> Link:
    """Return a link."""
    return {"rel": rel, "href": href, "type": kind, **({"title": title} if title else {})}


def address(path: str, query: dict[str, str]) -> str:
    """Return a path with its parameters."""
    return f"{path}?{urlencode(query)}" if query else path


def own_links(path: str, query: dict[str, str], *, form: str, kind: str = JSON, title: str = "") -> list[Link]:
    """Return the links of a document to itself and to its other form."""
    kinds = {**_FORMS, "json": kind}
    rest = {name: value for name, value in query.items() if name != "f"}
    return [
        link("self" if one == form else "alternate", address(path, {**rest, "f": one}), kinds[one], title)
        for one in sorted(kinds, key=lambda one: one != form)
    ]


def collection_links(base: str, title: str) -> list[Link]:
    """Return the links of a collection to what belongs to it; ``base`` is its own address."""
    return [
        link("items", f"{base}/items?f=json", GEOJSON, f"{title}的要素"),
        link("items", f"{base}/items?f=html", HTML, f"{title}的要素"),
        link("describedby", f"{base}/schema/feature", SCHEMA, f"{title}的要素写成 GeoJSON 的样子"),
        link(LOGICAL, f"{base}/schema", SCHEMA, f"{title}的属性"),
        link(QUERYABLES, f"{base}/queryables", SCHEMA, f"{title}可筛选的属性"),
        link(TILESETS, f"{base}/tiles", JSON, f"{title}的瓦片"),
    ]
