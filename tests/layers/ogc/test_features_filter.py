"""OGC API - Features - Part 3: Filtering (19-079r2) and the classes of CQL2 (21-065r2) over HTTP; each predicate of its own is
in ``tests/layers/test_filtering.py``."""

from __future__ import annotations

import itertools
import json
from typing import Any

import jsonschema_rs
import orjson
import pytest
from django.test import Client

from layers.filtering.temporal import TEMPORAL
from layers.ogc.links import QUERYABLES
from tests.layers.ogc.conftest import ROOT, Ask

LITERALS = {
    "string": "'foo'",
    "integer": "1",
    "number": "3.14",
    "boolean": "true",
    "date": "DATE('2022-04-14')",
    "date-time": "TIMESTAMP('2022-04-14T14:48:46Z')",
}
MOST = 700
"""How many features of a layer are looked at; where there are more, the first so many."""


def ids(page: dict[str, Any]) -> set[int]:
    return {one["id"] for one in page["features"]}


@pytest.fixture
def filtered(ask: Ask) -> Any:
    """Return a function that gives the ids a condition finds in a layer, checking that both languages find the same."""
    from layers.filtering import parse_text

    def find(key: str, text: str) -> set[int]:
        found = ids(ask(f"/collections/{key}/items", limit=MOST, filter=text))
        tree = json.dumps(parse_text(text), ensure_ascii=False)
        assert ids(ask(f"/collections/{key}/items", limit=MOST, filter=tree, filter_lang="cql2-json")) == found
        return found

    return find


def properties_of(ask: Ask, key: str) -> dict[str, str]:
    """Return the queryables of a layer that are no shape, with what they are."""
    told = ask(f"/collections/{key}/queryables")["properties"]
    return {name: one.get("format", one["type"]) for name, one in told.items() if "type" in one}


# queryables


def test_every_collection_says_what_can_be_asked(client: Client, ask: Ask, keys: list[str]) -> None:
    for key in keys:
        path = f"/ogc/collections/{key}/queryables"
        answer = client.get(path, headers={"Accept": "application/schema+json"})
        assert answer["Content-Type"] == "application/schema+json"
        told = answer.json()
        assert told["$schema"] == "https://json-schema.org/draft/2019-09/schema"
        assert told["$id"] == f"http://testserver{path}"
        assert told["type"] == "object"
        assert told["additionalProperties"] is False
        assert told["properties"]["geometry"]["format"].startswith("geometry-")
        assert {one.get("format", one.get("type")) for one in told["properties"].values()} - {None}
        assert any(one.get("type") in LITERALS for one in told["properties"].values())
        links = {one["rel"]: one["href"] for one in ask(f"/collections/{key}")["links"]}
        assert links[QUERYABLES] == f"{ROOT}/collections/{key}/queryables"


def test_features_are_as_the_schema_says(ask: Ask, keys: list[str]) -> None:
    for key in keys:
        schema = ask(f"/collections/{key}/schema")
        kinds = {
            name: {**one, "type": [one["type"], "null"]} for name, one in schema["properties"].items() if "type" in one
        }
        check = jsonschema_rs.validator_for(
            {"type": "object", "properties": kinds, "additionalProperties": False}, validate_formats=True
        )
        for one in ask(f"/collections/{key}/items", limit=200)["features"]:
            check.validate(one["properties"])


def test_features_look_as_they_are_described(ask: Ask, keys: list[str]) -> None:
    for key in keys:
        [described] = [one for one in ask(f"/collections/{key}")["links"] if one["rel"] == "describedby"]
        check = jsonschema_rs.validator_for(ask(described["href"], accept=described["type"]), validate_formats=True)
        for one in ask(f"/collections/{key}/items", limit=200)["features"]:
            said = {name: value for name, value in one["properties"].items() if value is not None}
            check.validate({**one, "properties": said})
            assert not check.is_valid({**one, "properties": dict.fromkeys(one["properties"], [])})


def test_a_queryable_is_a_parameter_too(ask: Ask, keys: list[str]) -> None:
    for key in keys:
        features = ask(f"/collections/{key}/items", limit=1_000)["features"]
        for name in properties_of(ask, key):
            value = next((one["properties"][name] for one in features if one["properties"][name] is not None), None)
            if value is None:
                continue
            text = orjson.dumps(value).decode() if isinstance(value, bool) else str(value)
            found = ask(f"/collections/{key}/items", limit=1_000, **{name: text})["features"]
            assert found
            assert {one["properties"][name] for one in found} == {value}


# filter


def test_a_filter_narrows_and_a_bad_one_is_refused(ask: Ask, keys: list[str]) -> None:
    for key in keys:
        name = next(iter(properties_of(ask, key)))
        nothing = ask(f"/collections/{key}/items", filter=f"{name} IS NULL", filter_lang="cql2-text")
        assert all(one["properties"][name] is None for one in nothing["features"])
        assert ids(ask(f"/collections/{key}/items", filter=f"{name} IS NULL")) == ids(nothing)
        for text in ("THIS IS NOT A FILTER", "this_is_not_a_queryable IS NULL", ""):
            ask(f"/collections/{key}/items", 400, filter=text)
            ask(f"/collections/{key}/items", 400, filter=text, filter_lang="cql2-json")
        ask(f"/collections/{key}/items", 400, filter="true", filter_lang="cql-text")


def test_positions_of_a_filter_are_longitude_and_latitude(ask: Ask, keys: list[str]) -> None:
    for key in keys:
        told = ask(f"/collections/{key}")
        if "spatial" not in told["extent"]:
            continue
        every = ids(ask(f"/collections/{key}/items", limit=1_000))
        around = ",".join(str(number) for number in told["extent"]["spatial"]["bbox"][0])
        assert (
            ids(ask(f"/collections/{key}/items", limit=1_000, filter=f"S_INTERSECTS(geometry,BBOX({around}))")) == every
        )
        far = "S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))"
        ask(f"/collections/{key}/items", 400, filter=far)


def test_a_filter_holds_together_with_all_else(ask: Ask) -> None:
    every = ask("/collections/places/items", limit=10_000)["features"]
    kind = every[0]["properties"]["kind"]
    lon, lat = every[0]["geometry"]["coordinates"]
    box = f"{lon - 0.01},{lat - 0.01},{lon + 0.01},{lat + 0.01}"
    found = ids(ask("/collections/places/items", limit=10_000, kind=kind, bbox=box, filter="id > 0 AND name LIKE '%'"))
    assert found == ids(ask("/collections/places/items", limit=10_000, kind=kind)) & ids(
        ask("/collections/places/items", limit=10_000, bbox=box)
    )
    assert every[0]["id"] in found
    page = ask("/collections/places/items", limit=1, filter=f"kind = '{kind}'")
    following = [one["href"] for one in page["links"] if one["rel"] == "next"]
    if following:
        assert {one["properties"]["kind"] for one in ask(following[0])["features"]} == {kind}


# CQL2


def test_comparisons_exclude_each_other(ask: Ask, filtered: Any, keys: list[str]) -> None:
    for key in keys:
        for name, kind in properties_of(ask, key).items():
            found = {
                sign: filtered(key, f'"{name}" {sign} {LITERALS[kind]}') for sign in ("=", "<>", ">", "<", ">=", "<=")
            }
            for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
                assert not found[one] & found[other], (key, name)
            assert not filtered(key, f"{name} IS NULL") & filtered(key, f"{name} is not null")
        assert filtered(key, "false") == set()
        assert filtered(key, "true") == ids(ask(f"/collections/{key}/items", limit=MOST))


def test_like_between_and_in_are_answered_for_every_queryable_they_fit(
    ask: Ask, filtered: Any, keys: list[str]
) -> None:
    for key in keys:
        for name, kind in properties_of(ask, key).items():
            if kind == "string":
                assert not filtered(key, f"{name} LIKE 'foo%'") & filtered(key, f"{name} not like 'foo%'")
                assert not filtered(key, f"{name} in ('foo','bar')") & filtered(key, f"{name} NOT IN ('foo','bar')")
            if kind in ("integer", "number"):
                between = filtered(key, f"{name} BETWEEN 0 AND 10")
                assert between == filtered(key, f"{name} >= 0 AND {name} <= 10")
                assert not between & filtered(key, f"{name} NOT BETWEEN 0 AND 10")


SHAPES = [
    "BBOX(-180,-90,180,90)",
    "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))",
    "LINESTRING(7 50,10 51)",
    "POINT(7.02 49.92)",
    "MULTIPOINT(7 50,10 51)",
]


def test_spatial_functions_on_every_layer(ask: Ask, filtered: Any, keys: list[str]) -> None:
    for key in keys:
        every = ids(ask(f"/collections/{key}/items", limit=MOST))
        told = {
            (name, at): filtered(key, f"{name}(geometry,{SHAPES[at]})")
            for name in (
                "S_INTERSECTS",
                "S_DISJOINT",
                "S_EQUALS",
                "S_TOUCHES",
                "S_CROSSES",
                "S_WITHIN",
                "S_CONTAINS",
                "S_OVERLAPS",
            )
            for at in range(len(SHAPES))
        }
        whole = len(every) < MOST
        assert told["S_INTERSECTS", 0] == told["S_INTERSECTS", 1] == every
        assert told["S_WITHIN", 0] == told["S_WITHIN", 1] == every
        assert told["S_DISJOINT", 0] == told["S_DISJOINT", 1] == set()
        for at in range(len(SHAPES)):
            assert not told["S_INTERSECTS", at] & told["S_DISJOINT", at]
            assert not whole or told["S_INTERSECTS", at] | told["S_DISJOINT", at] == every
        for name in ("S_INTERSECTS", "S_DISJOINT"):
            ask(f"/collections/{key}/items", 400, filter=f"{name}(geometry,POINT(90 180))")


def test_temporal_functions_on_every_moment(ask: Ask, filtered: Any) -> None:
    ends = {"date": "'2021-01-01','2021-12-31'", "date-time": "'2021-01-01T00:00:00Z','2021-12-31T23:59:59Z'"}
    tried = 0
    for key in ("places", "fences", "catchments"):
        moments = {name: kind for name, kind in properties_of(ask, key).items() if kind in ends}
        for name, kind in moments.items():
            for function in ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS"):
                filtered(key, f"{function}({name},{LITERALS[kind]})")
                filtered(key, f"{function}({name},INTERVAL({ends[kind]}))")
                tried += 1
        for one, other in itertools.permutations([name for name, kind in moments.items() if kind == "date"], 2):
            for function in TEMPORAL:
                filtered(key, f"{function.upper()}(INTERVAL({one},{other}),INTERVAL({ends['date']}))")
    assert tried >= 15


def test_predicates_join_as_logic_says(ask: Ask) -> None:
    predicates = {
        "places": [
            "kind = 'nursery'",
            "name LIKE '%园%'",
            "id > 5",
            "s_intersects(geometry,BBOX(121.4,31.2,121.6,31.4))",
            "address IS NULL",
        ],
        "regions": [
            "level = 'street'",
            "name LIKE '%街道'",
            "code > '310105'",
            "s_within(geometry,BBOX(121,31.2,121.5,32))",
            "name IS NULL",
        ],
    }
    for key, known in predicates.items():
        every = ids(ask(f"/collections/{key}/items", limit=10_000))
        assert 10 < len(every) < 10_000
        single = {text: ids(ask(f"/collections/{key}/items", limit=10_000, filter=text)) for text in known}
        for p1, p2, p3, p4 in itertools.islice(itertools.permutations(known, 4), 0, 60, 5):
            text = f"((NOT ({p1}) AND {p2}) OR ({p3} AND NOT ({p4})) OR NOT ({p1} AND {p4}))"
            joined = ids(ask(f"/collections/{key}/items", limit=10_000, filter=text))
            expected = (
                ((every - single[p1]) & single[p2]) | (single[p3] - single[p4]) | (every - (single[p1] & single[p4]))
            )
            assert joined == expected, (p1, p2, p3, p4)


# bad input


@pytest.mark.parametrize(
    "text",
    [
        "name = '' OR 1=1 --",
        "name = 'x'); DROP TABLE facilities_facility; --",
        "name LIKE '%' || (SELECT digest FROM access_apikey) || '%'",
        'name" = 1 OR "1" = \'1\'',
        "pg_sleep(5) IS NULL",
        "(SELECT 1) = 1",
        "name = $$x$$",
        "name = E'\\\\x'",
        "id = 1; SELECT 1",
        "as_of = DATE('2026-01-01''); DROP TABLE x; --')",
        "%(limit)s = 1",
        "name = '%(limit)s' OR id = %s",
        "s_intersects(geometry, POINT(121 31); DROP TABLE x)",
        "kind_id = 'nursery'",
        "f.source_id = 1",
    ],
)
def test_injections_are_refused(ask: Ask, text: str) -> None:
    ask("/collections/places/items", 400, filter=text)
    assert ask("/collections/places/items", limit=1)["features"]


def test_what_is_bound_is_only_text(ask: Ask) -> None:
    for value in ("' OR ''=''", "%(limit)s", "\\", "%s", "'; DROP TABLE x; --", "${7*7}", "名"):
        quoted = value.replace("'", "''")
        assert ask("/collections/places/items", filter=f"name = '{quoted}'")["features"] == []
        assert ask("/collections/places/items", name=value)["features"] == []
