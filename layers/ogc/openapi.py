"""The API document of ``/ogc`` (OpenAPI 3.0): every path, parameter, answer and error that is really there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from layers.ogc.asking import DEFAULT_LIMIT, MOST_LIMIT
from layers.ogc.media import GEOJSON, HTML, JSON, OPENAPI, PROBLEM, SCHEMA

Item = dict[str, Any]
_PROBLEMS: Final = {
    "400": "参数有误",
    "401": "接口密钥无效",
    "404": "没有找到，或不对您开放",
    "429": "请求太频繁",
    "503": "暂时无法回答",
}


def api_document(root: str, *, title: str, summary: str, paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document; ``paths`` are those of the other standards below the same root."""
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "description": summary, "version": "1.0.0"},
        "servers": [{"url": root}],
        "tags": [{"name": "服务"}, {"name": "图层"}, {"name": "要素"}, {"name": "瓦片"}],
        "paths": {**_own_paths(), **paths},
        "components": {"schemas": _SCHEMAS, "parameters": _PARAMETERS, "responses": _responses()},
    }


def answers(kind: str, schema: str, what: str, *, html: bool = True, problems: tuple[str, ...] = ()) -> Item:
    """Return the responses of an operation: what it gives when all is well, and the problems that may come instead."""
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    if html:
        content[HTML] = {"schema": {"type": "string"}}
    told = {"200": {"description": what, "content": content}, "304": {"description": "没有变化"}}
    refused = {code: {"$ref": f"#/components/responses/Problem{code}"} for code in ("400", "401", "429", *problems)}
    return {**told, **dict(sorted(refused.items()))}


def operation(tag: str, name: str, summary: str, parameters: tuple[str, ...], responses: Item) -> Item:
    """Return a path item with one GET."""
    return {
        "get": {
            "tags": [tag],
            "operationId": name,
            "summary": summary,
            "parameters": [{"$ref": f"#/components/parameters/{one}"} for one in (*parameters, "f")],
            "responses": responses,
        }
    }


def _own_paths() -> dict[str, Item]:
    one = ("collectionId",)
    return {
        "/": operation("服务", "getLandingPage", "首页", (), answers(JSON, "Landing", "首页")),
        "/api": operation("服务", "getApi", "接口说明", (), answers(OPENAPI, "Anything", "本说明")),
        "/conformance": operation(
            "服务", "getConformance", "符合哪些标准", (), answers(JSON, "Conformance", "符合的类")
        ),
        "/crs/{crsId}": operation(
            "服务", "getCrs", "本市自己的坐标系", ("crsId",), answers(JSON, "Anything", "坐标系", problems=("404",))
        ),
        "/collections": operation("图层", "getCollections", "有哪些图层", (), answers(JSON, "Collections", "图层")),
        "/collections/{collectionId}": operation(
            "图层", "getCollection", "一个图层", one, answers(JSON, "Collection", "图层", problems=("404",))
        ),
        "/collections/{collectionId}/queryables": operation(
            "图层", "getQueryables", "可筛选的属性", one, answers(SCHEMA, "Anything", "属性", problems=("404",))
        ),
        "/collections/{collectionId}/schema": operation(
            "图层", "getSchema", "要素有哪些属性", one, answers(SCHEMA, "Anything", "属性", problems=("404",))
        ),
        "/collections/{collectionId}/schema/feature": operation(
            "图层",
            "getFeatureSchema",
            "要素的 GeoJSON 写法",
            one,
            answers(SCHEMA, "Anything", "写法", problems=("404",)),
        ),
        "/collections/{collectionId}/items": operation(
            "要素",
            "getFeatures",
            "一页要素",
            (
                *one,
                "limit",
                "after",
                "bbox",
                "bbox-crs",
                "datetime",
                "crs",
                "filter",
                "filter-lang",
                "filter-crs",
                "queryables",
            ),
            answers(GEOJSON, "Features", "要素", problems=("404", "413", "503")),
        ),
        "/collections/{collectionId}/items/{featureId}": operation(
            "要素",
            "getFeature",
            "一个要素",
            (*one, "featureId", "crs"),
            answers(GEOJSON, "Feature", "要素", problems=("404", "503")),
        ),
    }


def _query(name: str, schema: Item, description: str, **more: Any) -> Item:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description, **more}


def _path(name: str, schema: Item, description: str) -> Item:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


_URI: Final[Item] = {"type": "string", "format": "uri"}
_PARAMETERS: Final[dict[str, Item]] = {
    "collectionId": _path("collectionId", {"type": "string"}, "图层的代号"),
    "featureId": _path("featureId", {"type": "integer", "format": "int64"}, "要素编号"),
    "crsId": _path("crsId", {"type": "string"}, "坐标系的代号"),
    "f": _query("f", {"type": "string", "enum": ["json", "html"]}, "形式；不写就看 Accept"),
    "limit": _query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
        "一页最多几个",
        style="form",
        explode=False,
    ),
    "after": _query("after", {"type": "string"}, "从“下一页”链接照抄"),
    "bbox": _query(
        "bbox",
        {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
        "只要与这个范围相交的",
        style="form",
        explode=False,
    ),
    "bbox-crs": _query("bbox-crs", _URI, "bbox 的坐标系"),
    "datetime": _query("datetime", {"type": "string"}, "只要这个时刻或时段的", style="form", explode=False),
    "crs": _query("crs", _URI, "答复用的坐标系"),
    "filter": _query("filter", {"type": "string", "maxLength": 10_000}, "筛选条件（CQL2）"),
    "filter-lang": _query(
        "filter-lang", {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}, "筛选条件的写法"
    ),
    "filter-crs": _query("filter-crs", _URI, "筛选条件里坐标的坐标系"),
    "queryables": _query(
        "queryables",
        {"type": "object", "additionalProperties": {"type": "string"}},
        "任何可筛选的属性都可以直接当参数写，例如 name=人民广场",
        style="form",
        explode=True,
    ),
}
_TEXT: Final[Item] = {"type": "string"}
_LINK: Final[Item] = {
    "type": "object",
    "required": ["href", "rel"],
    "properties": {"href": _TEXT, "rel": _TEXT, "type": _TEXT, "title": _TEXT},
}
_LINKS: Final[Item] = {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}
_SCHEMAS: Final[dict[str, Item]] = {
    "Link": _LINK,
    "Anything": {"type": "object"},
    "Bytes": {"type": "string", "format": "binary"},
    "Landing": {
        "type": "object",
        "required": ["links"],
        "properties": {"title": _TEXT, "description": _TEXT, "attribution": _TEXT, "links": _LINKS},
    },
    "Conformance": {
        "type": "object",
        "required": ["conformsTo"],
        "properties": {"conformsTo": {"type": "array", "items": _TEXT}},
    },
    "Collections": {
        "type": "object",
        "required": ["links", "collections"],
        "properties": {
            "links": _LINKS,
            "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
        },
    },
    "Collection": {
        "type": "object",
        "required": ["id", "links"],
        "properties": {
            "id": _TEXT,
            "title": _TEXT,
            "description": _TEXT,
            "attribution": _TEXT,
            "itemType": _TEXT,
            "crs": {"type": "array", "items": _TEXT},
            "storageCrs": _TEXT,
            "extent": {"type": "object"},
            "links": _LINKS,
        },
    },
    "Features": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
            "links": _LINKS,
            "timeStamp": {"type": "string", "format": "date-time"},
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
        },
    },
    "Feature": {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "nullable": True},
            "links": _LINKS,
        },
    },
    "Problem": {
        "type": "object",
        "required": ["title", "status", "code", "detail"],
        "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "code": _TEXT, "detail": _TEXT},
    },
}


def _responses() -> dict[str, Item]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {**_PROBLEMS, "413": "内容过大"}
    return {f"Problem{code}": {"description": title, "content": content} for code, title in told.items()}
