"""Styles as values: every fault told, the same back from data, colours of the tokens, legends in words, layers MapLibre takes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from layers.spec import Attribute, Detail, LayerSpec
from layers.styles.classing import Spread
from layers.styles.legend import Entry, Legend, legend_of, size_at, words_of
from layers.styles.maplibre import style_layers
from layers.styles.palettes import INKS, PALETTES, THEMES
from layers.styles.spec import KINDS, Style, StyleFaulty, read_style, usual_style

ROOT = Path(__file__).resolve().parents[3]
LAND = {"light": "#EFF0ED", "dark": "#181F27", "elder": "#EFF0ED"}


def layer(geometry: Any = "point", cluster: int = 0) -> LayerSpec:
    return LayerSpec(
        key="homes", title="养老机构", geometry=geometry, table="homes", category="themes", summary="", cluster_px=cluster,
        details=(Detail(0),),
        attributes=(
            Attribute("name", "名称", "text", "t.name"),
            Attribute("kind", "类别", "text", "t.kind"),
            Attribute("open", "开放", "yes_no", "t.open"),
            Attribute("beds", "床位", "whole", "t.beds"),
            Attribute("fee", "收费", "number", "t.fee"),
            Attribute("note", "备注", "text", "t.note", tiled=False),
        ),
    )  # fmt: skip


BEDS = {"kind": "classes", "attribute": "beds", "breaks": [10, 20, 40], "method": "manual", "unit": "张"}
KIND = {"kind": "categories", "attribute": "kind", "categories": [{"value": "a", "title": "甲"}, {"value": "b"}]}
GOOD = (
    {"kind": "single", "label": "name", "tone": 3},
    {"kind": "single", "icon": "tent", "shape": "disc", "tone": 2},
    BEDS,
    BEDS | {"palette": "diverging", "breaks": [1, 2, 3, 4, 5, 6], "zoom": [9, 14]},
    KIND,
    KIND | {"icon": "tent"},
    {"kind": "categories", "attribute": "open", "categories": [{"value": True}, {"value": False}]},
    {"kind": "sized", "attribute": "fee", "breaks": [1.5, 2.5], "sizes": [6, 30]},
)


@pytest.mark.parametrize("data", GOOD)
def test_a_style_comes_back_from_its_data(data: dict[str, Any]) -> None:
    style = read_style(data, layer(), icons={"tent"})
    assert read_style(json.loads(json.dumps(style.data())), layer()) == style


@pytest.mark.parametrize(
    ("data", "part", "said"),
    [
        ("text", "", "JSON"),
        ({}, "kind", "画法"),
        ({"kind": "heat"}, "kind", "画法"),
        ({"kind": "single", "onload": 1}, "onload", "不认识"),
        (BEDS | {"attribute": "gone"}, "attribute", "没有属性“gone”"),
        (BEDS | {"attribute": "name"}, "attribute", "不是数字"),
        (KIND | {"attribute": "note"}, "attribute", "不在瓦片里"),
        (KIND | {"attribute": "fee"}, "attribute", "小数"),
        (KIND | {"attribute": "open"}, "categories", "类型不一样"),
        (BEDS | {"breaks": [10, 10]}, "breaks", "从小到大"),
        (BEDS | {"breaks": [20, 10]}, "breaks", "从小到大"),
        (BEDS | {"breaks": []}, "breaks", "2 到 9 级"),
        (BEDS | {"breaks": list(range(9))}, "breaks", "2 到 9 级"),
        (BEDS | {"breaks": [float("nan")]}, "breaks", "分级"),
        (BEDS | {"breaks": [1, 2, 3, 4, 5]}, "palette", "不够分 6 级"),
        (BEDS | {"palette": "category"}, "palette", "有先后"),
        (KIND | {"palette": "gap"}, "palette", "没有先后"),
        (KIND | {"categories": [{"value": str(one)} for one in range(6)]}, "categories", "只有 5 种"),
        (KIND | {"categories": [{"value": "a"}, {"value": "a"}]}, "categories", "写了两次"),
        (KIND | {"categories": [{"value": "a", "style": "x"}]}, "categories", "类别"),
        (KIND | {"categories": []}, "categories", "至少选一个"),
        ({"kind": "single", "label": "note"}, "label", "标注"),
        ({"kind": "single", "icon": "skull"}, "icon", "没有名为“skull”"),
        ({"kind": "single", "icon": "../x"}, "icon", "没有名为"),
        ({"kind": "single", "opacity": 0}, "opacity", "不透明度"),
        ({"kind": "single", "sizes": [30, 8]}, "sizes", "先小后大"),
        ({"kind": "single", "zoom": [14, 9]}, "zoom", "先小后大"),
        ({"kind": "single", "tone": True}, "tone", "颜色"),
    ],
)
def test_every_fault_is_told(data: Any, part: str, said: str) -> None:
    with pytest.raises(StyleFaulty) as caught:
        read_style(data, layer(), icons={"tent"})
    assert any(one.part == part and said in one.said for one in caught.value.faults), caught.value.faults


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(StyleFaulty) as caught:
        read_style(BEDS | {"breaks": [5, 5], "label": "gone", "zoom": [3, 2]}, layer())
    assert {one.part for one in caught.value.faults} == {"breaks", "label", "zoom"}


def test_points_alone_have_icons_and_sizes() -> None:
    for data in ({"kind": "single", "icon": "tent"}, {"kind": "sized", "attribute": "beds", "breaks": [1, 2]}):
        with pytest.raises(StyleFaulty):
            read_style(data, layer("polygon"))


def test_the_colours_are_those_of_the_tokens() -> None:
    text = (ROOT / "web/static/css/tokens.css").read_text(encoding="utf-8")
    light, dark = text.partition("@media (prefers-color-scheme: dark)")[::2]

    def token(part: str, name: str) -> str:
        found = re.search(rf"--{name}: (#[0-9a-f]+);", part)
        assert found, name
        hexes = found[1][1:]
        return "#" + (hexes if len(hexes) == 6 else "".join(sign * 2 for sign in hexes)).upper()

    for palette in PALETTES.values():
        for part, colours in ((light, palette.light), (dark, palette.dark)):
            assert [token(part, palette.name_of(at)) for at in range(len(colours))] == list(colours)
    elder = text.partition(':root[data-view="elder"]')[2].partition(':root[data-view="elder"][data-text="2"]')[0]
    for theme, part in (("light", light), ("dark", dark), ("elder", elder)):
        ink = INKS[theme]  # type: ignore[index]
        named = {"accent": ink.accent, "ink": ink.text, "ink-3": ink.other, "control": ink.edge}
        assert named == {name: token(part, name) for name in named}


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_drawn_is_seen_on_the_land(theme: Any) -> None:
    ink, land = INKS[theme], LAND[theme]
    assert contrast(ink.text, land) >= 4.5
    assert contrast(ink.text, ink.halo) >= 4.5
    assert contrast(ink.on_accent, ink.accent) >= 4.5
    for graphic in (ink.accent, ink.other, *PALETTES["category"].colours(theme)):
        assert contrast(graphic, ink.ring) >= 3, graphic  # symbols stand in a ring, lines in a casing
    assert contrast(ink.edge, land) >= 3  # the edge of classes, whose light steps fall below


@pytest.mark.parametrize("palette", [one for one in PALETTES.values() if one.ordered], ids=str)
def test_classes_bear_the_ends_and_what_lies_evenly_between(palette: Any) -> None:
    size = len(palette.light)
    for count in range(2, size + 1):
        steps = palette.steps(count)
        assert len(steps) == count
        assert (steps[0], steps[-1]) == (0, size - 1)
        assert list(steps) == sorted(set(steps))
        assert [size - 1 - one for one in reversed(steps)] == list(steps)  # even to both sides


def test_classes_are_said_in_words() -> None:
    assert words_of((10.0, 20.0, 21.0, 40.0), whole=True) == ["< 10", "10–19", "20", "21–39", "≥ 40"]
    assert words_of((0.5, 1250.25), whole=False) == ["< 0.5", "0.5 至 1,250.25（不含）", "≥ 1,250.25"]
    assert words_of((-5.0, 0.0), whole=True)[0] == "< −5"


def test_a_legend_counts_what_it_shows() -> None:
    style = read_style(BEDS, layer())
    legend = legend_of(layer(), style, Spread((5.0, 10.0, 19.0, 40.0), (1, 2, 3, 4), missing=6))
    assert legend.measure == "床位（张）"
    assert [(one.words, one.count) for one in legend.entries] == [
        ("< 10", 1), ("10–19", 5), ("20–39", 0), ("≥ 40", 4), ("没有数据", 6),
    ]  # fmt: skip
    assert [one.token for one in legend.entries][:2] == ["quantity-1", "quantity-2"]
    sorts = legend_of(layer(), read_style(KIND, layer()), counts={"a": 3, "c": 2, "d": 1, None: 4})
    assert [(one.words, one.count, one.hollow) for one in sorts.entries] == [
        ("甲", 3, False), ("b", 0, False), ("其他", 3, False), ("没有数据", 4, True),
    ]  # fmt: skip


def test_areas_of_circles_rise_evenly() -> None:
    style = read_style({"kind": "sized", "attribute": "beds", "breaks": [1, 2], "sizes": [6, 30]}, layer())
    areas = [size_at(style, at) ** 2 for at in range(3)]
    assert areas == pytest.approx([36, 468, 900], rel=0.01)


CHECKER = """
import {validateStyleMin} from './node_modules/@maplibre/maplibre-gl-style-spec/dist/index.mjs';
let text = ''; for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map((style) => validateStyleMin(style).map((one) => one.message))));
"""


def test_maplibre_takes_every_style() -> None:
    styles = []
    for geometry in ("point", "line", "polygon"):
        for cluster in (0, 56):
            own = layer(geometry, cluster)
            for data in GOOD:
                if geometry != "point" and ("icon" in data or data["kind"] == "sized"):
                    continue
                for theme in THEMES:
                    drawn = style_layers(own, read_style(data, own), theme)
                    styles.append(
                        {
                            "version": 8,
                            "glyphs": "local/{fontstack}/{range}",
                            "sources": {"homes": {"type": "vector", "tiles": ["https://a.example/{z}/{x}/{y}"]}},
                            "layers": drawn,
                        }
                    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", CHECKER],
        input=json.dumps(styles), capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    found = json.loads(said.stdout)
    assert len(found) == len(styles) > 50
    assert [one for one in found if one] == []


@pytest.mark.django_db
def test_areas_without_data_are_hatched_on_the_map_and_in_the_legend(client: Client) -> None:
    own, kinds = (
        layer("polygon"),
        [data for data in GOOD if data["kind"] in ("classes", "categories") and "icon" not in data],
    )
    assert kinds
    for data in kinds:
        style = read_style(data, own)
        drawn = {one["id"]: one for one in style_layers(own, style, "light")}
        assert drawn["homes-hatch"]["paint"]["fill-pattern"] == "pin:hatch"
        assert drawn["homes-hatch"]["filter"] == drawn["homes-none"]["filter"] != drawn["homes-fill"]["filter"]
        assert list(drawn).index("homes-hatch") < list(drawn).index("homes-none")
    for theme in THEMES:
        picture = client.get(f"/pins/{theme}/hatch.svg")
        assert picture["Content-Type"] == "image/svg+xml"
        assert INKS[theme].other in picture.content.decode()
    legend = Legend("住处", "床位", "polygon", (Entry("没有数据", "other", hollow=True), Entry("10–20", "quantity-1")))
    shown = render_to_string("layers/_legend.html", {"legend": legend})
    assert shown.count("hatch") == 1
    assert client.get("/pins/nothing/hatch.svg").status_code == 404


def test_every_layer_has_a_usual_style() -> None:
    for geometry in ("point", "line", "polygon"):
        own = layer(geometry)
        assert read_style(usual_style(own).data(), own) == usual_style(own)
    assert set(KINDS) == {"single", "categories", "classes", "sized"}
    assert Style().data() == {"kind": "single"}
