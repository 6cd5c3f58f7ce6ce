"""Media types of ``/ogc``, and which of two forms a caller prefers. Pure."""

from __future__ import annotations

from typing import Final, Literal

from geo.errors import BadInput

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
HTML: Final = "text/html"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
MVT: Final = "application/vnd.mapbox-vector-tile"
PROBLEM: Final = "application/problem+json"

Form = Literal["json", "html"]


def form_asked(given: str | None, accept: str) -> Form:
    """Return the form of ``f=``, or else the one the ``Accept`` header weighs more: JSON when it does not care."""
    if given is not None:
        if given not in ("json", "html"):
            raise BadInput("format_unknown", "参数 f 可用 json 和 html。", known=["json", "html"])
        return "html" if given == "html" else "json"
    weights = dict(_weighed(part) for part in accept.split(",") if part.strip())
    html = weights.get(HTML, 0.0)
    return "html" if html > max((weights.get(kind, 0.0) for kind in (JSON, GEOJSON, SCHEMA)), default=0.0) else "json"


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (word.strip() for word in part.split(";"))
    weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return kind.lower(), float(weight)
    except ValueError:
        return kind.lower(), 0.0
