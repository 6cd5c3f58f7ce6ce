"""The document of the API (OpenAPI): schemas of one name kept apart, and how each operation refuses."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema

PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "不变的代号，供程序判断"},
        "detail": {"type": "string", "description": "怎么回事，接下来怎么做"},
    },
}
_ROOT: Final = REF_TEMPLATE.format(model="")


class CityAPI(NinjaAPI):
    """The API with a document that says of each operation how it refuses: always by a problem of one shape."""

    def get_openapi_schema(self, **asked: Any) -> OpenAPISchema:
        """Return the OpenAPI document."""
        prefix = asked.get("path_prefix")
        made = Document(self, self.get_root_path(asked.get("path_params") or {}) if prefix is None else prefix)
        made["components"]["schemas"]["Problem"] = PROBLEM
        content = {"application/problem+json": {"schema": {"$ref": REF_TEMPLATE.format(model="Problem")}}}
        for item in made["paths"].values():
            for operation in item.values():
                operation["responses"]["default"] = {"description": "没有做成：原因和下一步", "content": content}
        return made


class Document(OpenAPISchema):
    """The library's document, which would let a schema of one module stand for that of another with the same name."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        self._marks: dict[str, str] = {}
        self._names: dict[str, str] = {}
        super().__init__(api, path_prefix)

    def _create_schema_from_model(self, *given: Any, **asked: Any) -> tuple[dict[str, Any], bool]:
        self._names = {}
        schema, required = super()._create_schema_from_model(*given, **asked)
        return _renamed(schema, self._names), required

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Take definitions in; one that is another than that of its name gets a number."""
        for name in definitions:
            mark = _mark(name, definitions)
            names = itertools.chain([name], (f"{name}{number}" for number in itertools.count(2)))
            self._names[name] = next(one for one in names if self._marks.get(one, mark) == mark)
            self._marks[self._names[name]] = mark
        for name, definition in definitions.items():
            self.schemas[self._names[name]] = _renamed(definition, self._names)


def _mark(name: str, definitions: Mapping[str, Any]) -> str:
    """Return a text that is the same for two definitions when they and all they speak of are."""
    found, waiting = dict[str, Any](), [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = json.dumps(definitions[one], sort_keys=True, default=str)
            waiting += [other for other in definitions if f'"{_ROOT}{other}"' in found[one]]
    return json.dumps(found, sort_keys=True)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: _renamed(one, names) for key, one in value.items()}
    named = told.get("$ref")
    if isinstance(named, str) and named.startswith(_ROOT):
        told["$ref"] = _ROOT + names.get(named.removeprefix(_ROOT), named.removeprefix(_ROOT))
    return told
