"""What the catalogue says of a function: what it is told, an example that answers, and lines to copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import shapely

from geo.scope import Scope
from layers.reading import read_page
from layers.registry import layers
from layers.spec import ServiceSpec
from web.api.assembly import api
from web.doors.catalogue.shown import Line

USUAL: Final = {
    "lon": 121.4737, "lat": 31.2304, "name": "图书馆", "kind": "childcare", "place": 1, "address": "人民路",
}  # fmt: skip
"""What examples ask while nothing is published."""


class Parameter(NamedTuple):
    """What a function is told: its name, what it means, whether it must be there."""

    name: str
    says: str
    required: bool


def operation_of(spec: ServiceSpec) -> dict[str, Any]:
    """Return what the document of the API says of a function; nothing for what is not in it."""
    document = api.get_openapi_schema()
    found: dict[str, Any] = document["paths"].get(spec.path, {}).get(spec.method.lower(), {})
    return found


def parameters_of(spec: ServiceSpec, operation: Mapping[str, Any]) -> list[Parameter]:
    """Return what a function is told, from the document of the API."""
    listed = [
        Parameter(one["name"], one.get("description", ""), one.get("required", False))
        for one in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = api.get_openapi_schema()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    must = schema.get("required", [])
    return listed + [
        Parameter(name, one.get("description", one.get("title", "")), name in must)
        for name, one in schema.get("properties", {}).items()
    ]


def example_of(spec: ServiceSpec) -> Any:
    """Return what is sent to try a function, with a published place of the city in it."""
    return _filled(spec.example, _place())


def _filled(value: Any, place: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(one, place) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, place) for one in value]
    if isinstance(value, str) and value[:1] == "{" and value[1:-1] in place:
        return place[value[1:-1]]
    return value


def _place() -> dict[str, Any]:
    """Return the first place of service that is published, as what examples ask about."""
    public = Scope.public()
    found: dict[str, Any] = {
        "lon": 121.4737,
        "lat": 31.2304,
        "name": "图书馆",
        "kind": "childcare",
        "place": 1,
        "address": "人民路",
    }
    if "places" in layers():
        for row in read_page(layers()["places"], scope=public, limit=1).rows:
            point = shapely.from_wkb(row.geometry)
            found |= {
                "lon": round(point.x, 6),
                "lat": round(point.y, 6),
                "name": row.properties["name"],
                "place": row.id,
            }
            found |= {"kind": row.properties["kind"], "address": row.properties["address"] or found["address"]}
    return found


def try_lines(spec: ServiceSpec, example: Any, root: str) -> list[Line]:
    """Return lines to copy that call a function."""
    key = ' -H "X-API-Key: 您的密钥"' if spec.duty else ""
    if spec.method == "GET":
        query = f"?{urlencode(example)}" if example else ""
        return [Line("网址", f"{root}{spec.path}{query}"), Line("curl", f'curl{key} "{root}{spec.path}{query}"')]
    body = json.dumps(example, ensure_ascii=False)
    return [Line("curl", f'curl{key} -X POST "{root}{spec.path}" -H "Content-Type: application/json" -d \'{body}\'')]
