"""CQL2 on rows of our own: what each predicate finds, what is refused, and that nothing a caller writes becomes SQL."""

from __future__ import annotations

import json
from typing import Any

import cql2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import System
from geo.errors import CityError
from geo.scope import Scope
from layers.filtering import FilterCrs, parse_text, read_filter
from layers.filtering.faults import BadFilter
from layers.filtering.temporal import TEMPORAL
from layers.reading import read_page
from layers.spec import Attribute, Detail, LayerSpec

ROWS = """(SELECT v.id, v.name, v.stock, v.share, v.open, v.day::date, v.begins::timestamptz, v.ends::timestamptz,
  ST_SetSRID(ST_GeomFromText(v.shape), 4490) AS geom FROM (VALUES
  (1, '国权路', 5, 0.5, true, '2021-04-16', '2021-04-16T10:15:59Z', '2022-04-16T10:16:06Z', 'POINT(121.4 31.2)'),
  (2, 'Kabc', 7, 1.5, false, '2022-04-16', '2022-04-16T10:13:19Z', '2022-04-16T10:15:10Z', 'POLYGON((121.5 31.2,121.6 31.2,121.6 31.3,121.5 31.3,121.5 31.2))'),
  (3, '50%%_off', -3, 2.5, true, '2023-04-16', '2022-04-16T10:15:10Z', '2022-12-31T00:00:00Z', 'LINESTRING(121.4 31.2,121.5 31.2)'),
  (4, 'it''s', NULL, NULL, NULL, NULL, NULL, NULL, 'POINT(121.55 31.25)'),
  (5, NULL, 0, 0, false, '2022-04-16', '2022-01-01T00:00:00Z', '2022-02-01T00:00:00Z', 'POLYGON((121.6 31.2,121.7 31.2,121.7 31.3,121.6 31.3,121.6 31.2))')
) v(id, name, stock, share, open, day, begins, ends, shape))"""
LAYER = LayerSpec(
    key="rows",
    title="试验",
    geometry="point",
    table=ROWS,
    attributes=(
        Attribute("name", "名称", "text", "t.name"),
        Attribute("stock", "库存", "whole", "t.stock"),
        Attribute("share", "占比", "number", "t.share::float8"),
        Attribute("open", "开放", "yes_no", "t.open"),
        Attribute("day", "日期", "day", "t.day"),
        Attribute("begins", "开始", "moment", "t.begins"),
        Attribute("ends", "结束", "moment", "t.ends"),
        Attribute("区名", "区名", "text", "'黄浦区'"),
    ),
    details=(Detail(0),),
    category="own",
    summary="",
)
ALL = {1, 2, 3, 4, 5}


def found(text: str, **options: Any) -> set[int]:
    narrowing = read_filter(LAYER, text, **options)
    return {row.id for row in read_page(LAYER, scope=Scope.public(), limit=100, narrowing=narrowing).rows}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # basic CQL2
        ("name = '国权路'", {1}),
        ("name <> '国权路'", {2, 3, 4}),
        ("name < 'a'", {2, 3}),
        ("name >= 'a'", {1, 4}),
        ("name='it''s'", {4}),
        (r"name='it\'s'", {4}),
        ("stock = 5", {1}),
        ("stock > 0 AND stock <= 7", {1, 2}),
        ("stock <> 7", {1, 3, 5}),
        ("stock = -3", {3}),
        ("share >= 1.5", {2, 3}),
        ("stock = 99999999999999999999999", set()),
        ("open = true", {1, 3}),
        ("open = false", {2, 5}),
        ("open > false", {1, 3}),
        ("day = DATE('2022-04-16')", {2, 5}),
        ("day < date('2022-04-16')", {1}),
        ("begins <= TIMESTAMP('2022-04-16T10:13:19Z')", {1, 2, 5}),
        ("name IS NULL", {5}),
        ("name is not null", {1, 2, 3, 4}),
        ("geometry IS NULL", set()),
        ("true", ALL),
        ("false", set()),
        ("NOT (stock = 5)", {2, 3, 5}),
        ("stock = 5 OR stock = 7 AND open = true", {1}),
        ("(stock = 5 OR stock = 7) AND open = false", {2}),
        ("NOT NOT stock = 5", {1}),
        ("\"区名\" = '黄浦区' and 区名 = '黄浦区'", ALL),
        # advanced comparison
        ("name LIKE 'K%'", {2}),
        ("name like '_t%'", {4}),
        (r"name LIKE '%\%\_%'", {3}),
        ("name NOT LIKE '%a%'", {1, 3, 4}),
        ("stock BETWEEN 0 AND 5", {1, 5}),
        ("stock NOT BETWEEN 0 AND 5", {2, 3}),
        ("name IN ('国权路', 'Kabc', 'x')", {1, 2}),
        ("stock not in (5, 7)", {3, 5}),
        ("day IN (DATE('2021-04-16'), DATE('2023-04-16'))", {1, 3}),
        ("casei(name) = casei('KABC')", {2}),
        ("CASEI(name) LIKE casei('kA%')", {2}),
        # spatial
        ("S_INTERSECTS(geometry, POINT(121.55 31.25))", {2, 4}),
        ("s_intersects(geometry, BBOX(121.55,31.2,121.65,31.25))", {2, 4, 5}),
        ("s_intersects(geometry, BBOX(-180,-90,180,90))", ALL),
        ("s_intersects(geometry, BBOX(121.55,31.2,0,121.65,31.25,9))", {2, 4, 5}),
        ("s_intersects(geometry, BBOX(121.65,-10,-170,80))", {5}),
        ("s_intersects(geometry, GEOMETRYCOLLECTION(POINT(121.4 31.2),POINT(121.55 31.25)))", {1, 2, 3, 4}),
        ("s_within(geometry, POLYGON((121.5 31.2,121.6 31.2,121.6 31.3,121.5 31.3,121.5 31.2)))", {2, 4}),
        ("s_contains(geometry, MULTIPOINT(121.52 31.22, 121.53 31.23))", {2}),
        ("s_touches(geometry, POLYGON((121.5 31.2,121.6 31.2,121.6 31.3,121.5 31.3,121.5 31.2)))", {3, 5}),
        ("s_crosses(geometry, LINESTRING(121.45 31.1,121.45 31.3))", {3}),
        ("s_overlaps(geometry, BBOX(121.55,31.2,121.65,31.3))", {2, 5}),
        ("s_equals(geometry, POINT(121.4 31.2))", {1}),
        ("s_disjoint(geometry, BBOX(121.45,31,122,32))", {1}),
        # temporal
        ("t_after(day, DATE('2022-04-16'))", {3}),
        ("t_before(day, DATE('2022-04-16'))", {1}),
        ("t_disjoint(day, interval('2022-01-01','2022-12-31'))", {1, 3}),
        ("t_equals(day, interval('2022-04-16','2022-04-16'))", {2, 5}),
        ("t_intersects(day, interval('2022-01-01','..'))", {2, 3, 5}),
        ("t_after(interval(begins,ends), interval('..','2022-04-16T10:13:19Z'))", {3}),
        ("t_before(interval(begins,ends), interval('2022-12-01T00:00:00Z','..'))", {1, 2, 5}),
        ("T_CONTAINS(interval(begins,ends), interval('2022-04-16T10:13:19Z','2022-04-16T10:15:10Z'))", {1}),
        ("T_DURING(interval(begins,ends), interval('2021-12-31T00:00:00Z','2022-12-30T00:00:00Z'))", {2, 5}),
        ("T_FINISHES(interval(begins,ends), interval('2020-01-01T00:00:00Z','2022-02-01T00:00:00Z'))", {5}),
        ("T_FINISHEDBY(interval(begins,ends), interval('2022-01-15T00:00:00Z','2022-02-01T00:00:00Z'))", {5}),
        ("T_MEETS(interval(begins,ends), interval('2022-04-16T10:15:10Z','2023-01-01T00:00:00Z'))", {2}),
        ("T_METBY(interval(begins,ends), interval('2022-04-16T10:13:19Z','2022-04-16T10:15:10Z'))", {3}),
        ("T_OVERLAPS(interval(begins,ends), interval('2022-01-15T00:00:00Z','2023-01-01T00:00:00Z'))", {1, 5}),
        ("T_OVERLAPPEDBY(interval(begins,ends), interval('2021-12-01T00:00:00Z','2022-01-15T00:00:00Z'))", {5}),
        ("T_STARTEDBY(interval(begins,ends), interval('2022-01-01T00:00:00Z','2022-01-02T00:00:00Z'))", {5}),
        ("T_STARTS(interval(begins,ends), interval('2022-01-01T00:00:00Z','2022-09-02T00:00:00Z'))", {5}),
        ("T_EQUALS(interval(begins,ends), interval('2021-04-16T10:15:59Z','2022-04-16T10:16:06Z'))", {1}),
        # arithmetic and property against property
        ("stock + 2 = 7", {1}),
        ("2 * (stock - 1) > 8", {2}),
        ("stock / 2 = 2.5", {1}),
        ("stock / 0 = 1", set()),
        ("stock div 2 = 3", {2}),
        ("stock % 2 = 1", {1, 2}),
        ("stock ^ 2 = 49", {2}),
        ("-stock = 3", {3}),
        ("stock > share", {1, 2}),
        ("begins < ends", {1, 2, 3, 5}),
        ("5 = stock", {1}),
        ("'a' = 'a'", ALL),
    ],
)
def test_a_condition_finds_what_it_says(text: str, rows: set[int]) -> None:
    assert found(text) == rows
    assert found(json.dumps(parse_text(text)), language="cql2-json") == rows


@pytest.mark.django_db
def test_positions_are_read_in_the_declared_order_of_the_system() -> None:
    northern_first = FilterCrs(System.CGCS2000, swapped=True)
    assert found("s_intersects(geometry, POINT(31.25 121.55))", crs=northern_first) == {2, 4}
    assert found("s_intersects(geometry, BBOX(31.2,121.55,31.25,121.65))", crs=northern_first) == {2, 4, 5}
    mercator = FilterCrs(System.WEB_MERCATOR)
    assert found("s_intersects(geometry, BBOX(13530883,3660000,13542015,3670000))", crs=mercator) >= {2, 4}
    with pytest.raises(CityError):
        found("s_intersects(geometry, POINT(121.55 31.25))", crs=northern_first)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nothing = 1", "property_unknown"),
        ("geom IS NULL", "property_unknown"),
        ("\"name\" = 'a'; DROP TABLE x", "filter_syntax"),
        ('"name"" OR 1=1 --" = \'a\'', "filter_syntax"),
        ("t.name = 'a'", "property_unknown"),
        ("name = 5", "filter_kinds"),
        ("day > TIMESTAMP('2022-04-16T10:13:19Z')", "filter_kinds"),
        ("day = DATE('2022-02-30')", "filter_instant"),
        ("day = DATE('2022-02-28'' OR 1=1')", "filter_instant"),
        ("begins = TIMESTAMP('now')", "filter_instant"),
        ("t_after(day, TIMESTAMP('2022-04-16T10:13:19Z'))", "filter_clocks"),
        ("t_after(interval(day,'..'), interval(begins,ends))", "filter_clocks"),
        ("t_during(day, interval('2022-01-01','2022-12-31'))", "filter_kind"),
        ("interval('2022-01-01','2022-12-31T00:00:00Z') is null", "filter_interval"),
        ("pg_sleep(10) = 1", "filter_function"),
        ("a_equals(name, name)", "filter_function"),
        ("s_within(geometry)", "filter_arguments"),
        ("s_within(geometry, name)", "filter_kind"),
        ("s_within(geometry, GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4)))", "filter_collection"),
        ("s_intersects(geometry, POINT(90 180))", None),
        ("s_intersects(geometry, BBOX(1000000,1000000,2000000,2000000))", None),
        ("s_intersects(geometry, BBOX(1,2,3))", "bbox_form"),
        ("s_intersects(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", None),
        ("s_intersects(geometry, POLYGON((0 0,1 1)))", "geometry_coordinates"),
        ("name LIKE 'x\\'", "filter_like"),
        ("name LIKE name", "filter_like"),
        ("name", "filter_kind"),
        ("name AND true", "filter_kind"),
        ("THIS IS NOT A FILTER", "filter_syntax"),
        ("stock ^ 99999 > 1", "filter_failed"),
        ("stock in (" + ",".join(["1"] * 3000) + ")", "filter_large"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, code: str | None) -> None:
    with pytest.raises(CityError) as refused:
        found(text)
    assert code is None or refused.value.code == code


@pytest.mark.django_db
@pytest.mark.parametrize(
    "node",
    [
        5,
        None,
        [],
        "x",
        {},
        {"op": "="},
        {"op": 1, "args": []},
        {"op": "=", "args": "ab"},
        {"op": "and", "args": [True]},
        {"property": ["name"]},
        {"property": "name\" OR ''='"},
        {"op": "in", "args": [{"property": "name"}, []]},
        {"op": "in", "args": [{"property": "name"}, "abc"]},
        {"op": "=", "args": [{"property": "name"}, "a\x00b"]},
        {"op": "=", "args": [{"property": "stock"}, {"date": 5}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": "x"}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, "4"]}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": "1,2,3,4"}]},
        {"op": "t_after", "args": [{"property": "day"}, {"interval": "x"}]},
        {"op": "like", "args": [{"property": "name"}, {"op": "casei", "args": None}]},
    ],
)
def test_json_that_is_no_condition_is_refused(node: Any) -> None:
    with pytest.raises(CityError):
        found(json.dumps(node), language="cql2-json")


BOMBS = {
    "brackets": ("(" * 4000 + "stock=1" + ")" * 4000, "filter_depth"),
    "open brackets": ("(" * 9000, "filter_depth"),
    "arithmetic": ("stock=1" + "+1" * 4000, "filter_depth"),
    "powers": ("1" + "^9" * 4000 + "=1", "filter_depth"),
    "negations": ("not " * 2000 + "open=true", "filter_depth"),
    "functions": ("casei(" * 1500 + "name" + ")" * 1500 + "='x'", "filter_long"),
    "double brackets": ("((" * 1000 + "stock" + "))" * 1000 + "=1", "filter_depth"),
    "shapes": (
        "s_intersects(geometry," + "GEOMETRYCOLLECTION(" * 400 + "POINT(1 2)" + ")" * 400 + ")",
        "filter_syntax",
    ),
    "points": ("s_intersects(geometry,MULTIPOINT(" + ",".join(["1 2"] * 2400) + "))", ""),
    "long": ("name = '" + "x" * 20_000 + "'", "filter_long"),
    "json": ('{"op":"not","args":[' * 401 + "true" + "]}" * 401, "filter_depth"),
}
"""What is written to break us, and the code of its refusal; '' for what is answered, with no row."""


@pytest.mark.django_db
@pytest.mark.timeout(30, func_only=True)
@pytest.mark.parametrize("name", list(BOMBS))
def test_a_bomb_is_answered_or_refused_in_words(name: str) -> None:
    text, code = BOMBS[name]
    language = "cql2-json" if name == "json" else "cql2-text"
    if not code:
        assert found(text, language=language) == set()
        return
    with pytest.raises(BadFilter) as refused:
        found(text, language=language)
    assert refused.value.code == code
    assert "请" in refused.value.message


SCALARS = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda one: f"{one:.6f}"),
    st.text(alphabet="aZ 圈'%_", max_size=6).map(lambda one: "'" + one.replace("'", "''") + "'"),
    st.sampled_from(["stock", '"name"', "区名", "TRUE", "DATE('2022-04-16')", "TIMESTAMP('2022-04-16T10:13:19Z')"]),
)
PREDICATES = st.one_of(
    st.builds("{} {} {}".format, SCALARS, st.sampled_from(["=", "<>", "<", ">=", " LIKE "]), SCALARS),
    st.builds("{} is not null".format, SCALARS),
    st.builds("{} NOT IN ({}, {})".format, SCALARS, SCALARS, SCALARS),
    st.builds("{} between {} and {}".format, SCALARS, SCALARS, SCALARS),
    st.builds("({} + 1) * 2 > {}".format, SCALARS, SCALARS),
    st.builds("{}(geometry, POLYGON((0 0,1 0,1 1,0 0)))".format, st.sampled_from(["S_WITHIN", "s_touches"])),
    st.builds("{}(day, INTERVAL('2022-01-01','..'))".format, st.sampled_from(sorted(TEMPORAL))),
)
CONDITIONS = st.recursive(
    PREDICATES,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=6,
)


@given(text=CONDITIONS)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_text_is_read_as_the_reference_reads_it(text: str) -> None:
    assert _plain(parse_text(text)) == _plain(cql2.parse_text(text).to_json())


def _plain(node: Any) -> Any:
    """Return a condition as the reference has it: all numbers as floats, AND within AND and OR within OR as one list."""
    if isinstance(node, dict) and node.get("op") in ("and", "or"):
        parts = [_plain(one) for one in node["args"]]
        inside = [part["args"] if isinstance(part, dict) and part.get("op") == node["op"] else [part] for part in parts]
        return {"op": node["op"], "args": [one for part in inside for one in part]}
    if isinstance(node, dict):
        return {key: value.lower() if key == "op" else _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(one) for one in node]
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node
