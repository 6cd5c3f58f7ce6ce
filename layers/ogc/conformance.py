"""What ``/ogc`` declares to conform to: a class only when each abstract test of it is one of ours (docs/how-to/ogc.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FEATURES_1: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
FEATURES_2: Final = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/"
FEATURES_3: Final = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/"
CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf/"
COMMON_1: Final = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/"
COMMON_2: Final = "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/"


@dataclass(frozen=True, slots=True)
class Part:
    """A standard that ``/ogc`` offers: its conformance classes, its links on the landing page and its paths in the API document.

    ``links`` are (rel, path below the root, title); ``paths`` are OpenAPI path items by path below the root.
    """

    classes: tuple[str, ...]
    links: tuple[tuple[str, str, str], ...] = ()
    paths: Callable[[], Mapping[str, Any]] = field(default=dict)


FEATURES: Final = Part(
    classes=(
        *(COMMON_1 + name for name in ("core", "landing-page", "json", "html", "oas30")),
        *(COMMON_2 + name for name in ("collections", "simple-query")),
        *(FEATURES_1 + name for name in ("core", "oas30", "html", "geojson")),
        f"{FEATURES_2}crs",
        *(FEATURES_3 + name for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
        *(
            CQL2 + name
            for name in (
                "cql2-text",
                "cql2-json",
                "basic-cql2",
                "advanced-comparison-operators",
                "basic-spatial-functions",
                "spatial-functions",
                "temporal-functions",
                "arithmetic",
                "property-property",
            )
        ),
    ),
    links=(("data", "/collections", "图层（要素集合）"),),
)
PARTS: Final[list[Part]] = [FEATURES]


def offers(part: Part) -> None:
    """Add a standard to what ``/ogc`` declares, once."""
    if part not in PARTS:
        PARTS.append(part)


def declared() -> list[str]:
    """Return every conformance class, in the order of the parts."""
    return list(dict.fromkeys(uri for part in PARTS for uri in part.classes))
