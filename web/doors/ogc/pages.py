"""The standards door ``/ogc``: what the OGC API calls for, in JSON for systems and as pages for people."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import shapely
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from geo.crs import CITIES, City
from geo.errors import BadInput, NotFound
from geo.etags import holds_already
from geo.scope import Scope
from layers.ogc import documents
from layers.ogc.asking import Asked, check_parameters, crs_asked, read_asked, token_of
from layers.ogc.conformance import PARTS
from layers.ogc.features import features
from layers.ogc.links import Link, address, link, own_links
from layers.ogc.media import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, Form, form_asked
from layers.ogc.openapi import api_document
from layers.ogc.sketch import HEIGHT, WIDTH, sketch
from layers.ogc.systems import OgcCrs, described, own_crs
from layers.reading import Page, Row, count_if_cheap, read_one, read_page
from layers.registry import layer, visible_layers
from layers.spec import LayerSpec
from services.access.queries import scope_for
from web.api.limits import CallerLimit

OGC: Final = CallerLimit("ogc", anonymous=6_000, keyed=60_000)
"""A client that reads a layer feature by feature asks a hundred times a second."""
KEPT_S: Final = 60
METHODS: Final = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Told:
    """A document with its media type, the page that shows it, and what that page needs besides."""

    document: dict[str, Any]
    template: str
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """A request as the views here need it: who asks, from which root, with which parameters and for which form."""

    request: HttpRequest
    scope: Scope
    root: str
    query: dict[str, str]
    form: Form

    @property
    def path(self) -> str:
        """Return the address asked for, without its parameters."""
        return f"{self.request.scheme}://{self.request.get_host()}{self.request.path}"

    @property
    def city(self) -> City:
        """Return the city of this installation."""
        return CITIES[settings.CITY]

    def links(self, kind: str = JSON) -> list[Link]:
        """Return the links of the answer to itself and to its other form."""
        return own_links(self.path, self.query, form=self.form, kind=kind)


View = Callable[..., HttpResponse]


def tells(view: Callable[..., Told]) -> View:
    """Make a view of what gives a document: methods, limits, parameters, form, ETag and caching are the same for all."""

    @csrf_exempt  # nothing here changes anything: another method is refused as such, not for want of a token
    @functools.wraps(view)
    def answer(request: HttpRequest, **path: Any) -> HttpResponse:
        if request.method not in METHODS or request.method == "OPTIONS":
            return HttpResponse(
                status=204 if request.method == "OPTIONS" else 405, headers={"Allow": ", ".join(METHODS)}
            )
        OGC.allow_request(request)
        asking = asked_of(request)
        return _written(asking, view(asking, **path))

    return answer


def asked_of(request: HttpRequest) -> Asking:
    """Read who asks what; a parameter given twice is refused, because nobody could say which of them counts."""
    doubled = [name for name, values in request.GET.lists() if len(values) > 1]
    if doubled:
        raise BadInput("parameter_twice", f"参数 {doubled[0][:40]} 写了不止一次，请只留一个。")
    query = {name: str(value) for name, value in request.GET.items()}
    if any("\x00" in value for value in query.values()):
        raise BadInput("parameter_invalid", "参数里有不能用的字符，请去掉。")
    return Asking(
        request,
        scope_for(request),
        f"{request.scheme}://{request.get_host()}/ogc",
        query,
        form_asked(query.get("f"), request.headers.get("Accept", "")),
    )


def _written(asking: Asking, told: Told) -> HttpResponse:
    if asking.form == "html":
        context = {"document": told.document, "root": asking.root, "alternate": _alternate(told), **told.shown}
        response = render(asking.request, f"ogc/{told.template}.html", context)
    else:
        response = _json(asking.request, told)
    for name, value in told.headers.items():
        response[name] = value
    audience = "public" if asking.scope == Scope.public() else "private"
    response["Cache-Control"] = f"{audience}, max-age={KEPT_S}"
    patch_vary_headers(response, ["Accept", "Authorization", "X-API-Key", "Cookie"])
    return response


def _json(request: HttpRequest, told: Told) -> HttpResponse:
    body = orjson.dumps(told.document)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if holds_already(request, tag):
        response = HttpResponse(status=304)
    else:
        if told.stamped:
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            body = body[:-1] + b',"timeStamp":"' + now.encode() + b'"}'
        response = HttpResponse(body, content_type=told.kind)
    response["ETag"] = tag
    return response


def _alternate(told: Told) -> str:
    """Return the address of the same document in JSON."""
    return next((one["href"] for one in told.document.get("links", ()) if one["rel"] == "alternate"), "?f=json")


@tells
def landing(asking: Asking) -> Told:
    """Answer with the landing page."""
    check_parameters(asking.query, ["f"])
    made = documents.landing(asking.root)
    return Told({**made, "links": [*asking.links(), *made["links"]]}, "landing")


@tells
def api(asking: Asking) -> Told:
    """Answer with the API document."""
    check_parameters(asking.query, ["f"])
    paths = {path: item for part in PARTS for path, item in part.paths().items()}
    made = api_document(asking.root, title=documents.TITLE, summary=documents.SUMMARY, paths=paths)
    operations = [
        {"path": path, "method": method.upper(), **item[method]}
        for path, item in made["paths"].items()
        for method in item
        if method in ("get", "post", "delete")
    ]
    return Told(made, "api", OPENAPI, shown={"operations": operations})


@tells
def conformance(asking: Asking) -> Told:
    """Answer with the conformance classes."""
    check_parameters(asking.query, ["f"])
    return Told({**documents.conformance(), "links": asking.links()}, "conformance")


@tells
def crs(asking: Asking, key: str) -> Told:
    """Describe a coordinate system that is ours."""
    check_parameters(asking.query, ["f"])
    found = own_crs(key, city=asking.city)
    made = described(asking.city, found.uri(asking.root))
    return Told({**made, "links": asking.links()}, "crs")


@tells
def collections(asking: Asking) -> Told:
    """List the layers that the caller may see."""
    check_parameters(asking.query, ["f"])
    listed = [
        {**made, "links": [link("self", f"{asking.root}/collections/{made['id']}", JSON), *made["links"]]}
        for one in visible_layers(scope=asking.scope)
        for made in [documents.collection(one, scope=asking.scope, city=asking.city, root=asking.root)]
    ]
    systems = listed[0]["crs"] if listed else []
    return Told({"links": asking.links(), "crs": systems, "collections": listed}, "collections")


@tells
def collection(asking: Asking, key: str) -> Told:
    """Describe a layer."""
    check_parameters(asking.query, ["f"])
    found = layer(key, scope=asking.scope)
    made = documents.collection(found, scope=asking.scope, city=asking.city, root=asking.root)
    return Told({**made, "links": [*asking.links(), *made["links"]]}, "collection", shown={"layer": found})


@tells
def queryables(asking: Asking, key: str) -> Told:
    """Say what conditions on a layer may speak of."""
    check_parameters(asking.query, ["f"])
    found = layer(key, scope=asking.scope)
    return Told(documents.queryables(found, asking.path), "attributes", SCHEMA, shown={"layer": found})


@tells
def schema(asking: Asking, key: str) -> Told:
    """Say what the features of a layer say."""
    check_parameters(asking.query, ["f"])
    found = layer(key, scope=asking.scope)
    return Told(documents.schema(found, asking.path), "attributes", SCHEMA, shown={"layer": found})


@tells
def feature_schema(asking: Asking, key: str) -> Told:
    """Say what a feature of a layer looks like in GeoJSON; as a page, what its features say."""
    check_parameters(asking.query, ["f"])
    found = layer(key, scope=asking.scope)
    made = documents.schema if asking.form == "html" else documents.feature_schema
    return Told(made(found, asking.path), "attributes", SCHEMA, shown={"layer": found})


@tells
def items(asking: Asking, key: str) -> Told:
    """Answer with a page of features."""
    found = layer(key, scope=asking.scope)
    asked = read_asked(found, asking.query, city=asking.city, root=asking.root)
    page = read_page(
        found,
        scope=asking.scope,
        limit=asked.limit,
        after=asked.after,
        narrowing=asked.narrowing,
        srid=asked.crs.srid,
    )
    made = {
        "type": "FeatureCollection",
        "links": _page_links(asking, key, page),
        "numberReturned": len(page.rows),
        **_matched(asking, found, asked, page),
        "features": features(page.rows, asked.crs),
    }
    shown = _table(found, page.rows, asked.crs) if asking.form == "html" else {}
    if asked.after is not None:
        shown["first"] = address(asking.path, {one: value for one, value in asking.query.items() if one != "after"})
    return Told(made, "items", GEOJSON, _crs_header(asked.crs, asking.root), shown, stamped=True)


@tells
def item(asking: Asking, key: str, feature: str) -> Told:
    """Answer with one feature."""
    found = layer(key, scope=asking.scope)
    check_parameters(asking.query, ["crs", "f"], found)
    asked = crs_asked(asking.query, "crs", city=asking.city, root=asking.root)
    if not feature.isascii() or not feature.isdigit() or len(feature) > 18:
        raise NotFound("feature_unknown", "图层里没有这个要素，它可能已被删除。")
    row = read_one(found, int(feature), scope=asking.scope, srid=asked.srid)
    [made] = features([row], asked)
    up = link("collection", f"{asking.root}/collections/{key}", JSON, found.title)
    shown = _table(found, [row], asked) if asking.form == "html" else {}
    shown["facts"] = [(one, row.properties[one.name]) for one in found.attributes]
    return Told(
        {**made, "links": [*asking.links(GEOJSON), up]}, "item", GEOJSON, _crs_header(asked, asking.root), shown
    )


def _page_links(asking: Asking, key: str, page: Page) -> list[Link]:
    links = [*asking.links(GEOJSON), link("collection", f"{asking.root}/collections/{key}", JSON)]
    if page.next is not None:
        onward = {**asking.query, "after": token_of(page.next)}
        kind = HTML if asking.form == "html" else GEOJSON
        links.append(link("next", address(asking.path, onward), kind, "下一页"))
    return links


def _matched(asking: Asking, found: LayerSpec, asked: Asked, page: Page) -> dict[str, int]:
    """Return how many features there are in all, on the first page and where it is cheap to count them; otherwise nothing."""
    if asked.after is not None:
        return {}
    if page.next is None:
        return {"numberMatched": len(page.rows)}
    count = count_if_cheap(found, scope=asking.scope, narrowing=asked.narrowing)
    return {} if count is None else {"numberMatched": count}


def _crs_header(crs: OgcCrs, root: str) -> dict[str, str]:
    return {"Content-Crs": f"<{crs.uri(root)}>"}


def _table(found: LayerSpec, rows: list[Row], crs: OgcCrs) -> dict[str, Any]:
    """Return what the page of some features shows: a line for each, and a drawing when positions are degrees."""
    name = next((one.name for one in found.attributes if one.name in ("name", "title", "text")), "")
    lines = [
        {
            "id": row.id,
            "name": row.properties.get(name) or "",
            "values": [row.properties[one.name] for one in found.attributes],
        }
        for row in rows
    ]
    drawn = [(shapely.from_wkb(row.geometry), str(row.properties.get(name) or row.id)) for row in rows if row.geometry]
    strokes = sketch(drawn) if crs.system.is_geographic else []
    return {"layer": found, "lines": lines, "strokes": strokes, "width": WIDTH, "height": HEIGHT}
