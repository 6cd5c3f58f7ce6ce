"""The styles of our own map and of imagery: valid to the letter of MapLibre, without a server of glyphs, readable."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.basemaps.models import BaseMap
from tests.layers.styles.test_styles import contrast
from web.doors.maps.mapstyle import FONTS, ON_IMAGERY, PALETTES, Palette, build_imagery_style, build_style

ROOT = Path(__file__).resolve().parents[2]
VALIDATE = """
import {validateStyleMin} from './node_modules/@maplibre/maplibre-gl-style-spec/dist/index.mjs';
let text = ''; for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(JSON.parse(text).map((style) => validateStyleMin(style).map((one) => one.message))));
"""
HERE = "https://quantu.example"


def every_style() -> list[dict[str, Any]]:
    imagery = BaseMap(key="img", title="卫星影像", attribution="© 影像", min_zoom=1, max_zoom=18)
    named = BaseMap(
        key="img", title="卫星影像", attribution="© 影像", names_address="https://example.gov.cn/cia_w/wmts"
    )
    return [
        style
        for name, colours in PALETTES.items()
        for style in (
            build_style(colours, HERE),
            build_imagery_style(colours, HERE, imagery, dim=name == "dark"),
            build_imagery_style(colours, HERE, named, dim=name == "dark"),
        )
    ]


def test_styles_are_valid_and_name_no_server_of_glyphs() -> None:
    styles = every_style()
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", VALIDATE], input=json.dumps(styles), cwd=ROOT, text=True, capture_output=True, check=True
    )  # fmt: skip
    faults = [
        fault
        for one in json.loads(ran.stdout)
        for fault in one
        if fault != 'use of "text-field" requires a style "glyphs" property'
    ]
    assert faults == []
    for style in styles:
        assert "glyphs" not in style
        fonts = [each["layout"]["text-font"] for each in style["layers"] if each["type"] == "symbol"]
        assert all(each == FONTS for each in fonts)


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_names_are_read_on_what_they_stand_on(name: str) -> None:
    colours: Palette = PALETTES[name]
    least = 7.0 if name == "elder" else 4.5
    grounds = {"label": colours.land, "water_label": colours.water, "park_label": colours.park}
    found = {label: round(contrast(getattr(colours, label), ground), 2) for label, ground in grounds.items()}
    assert {label: ratio for label, ratio in found.items() if ratio < least} == {}
    assert contrast(colours.cluster_text, colours.cluster) >= least
    assert contrast(colours.label, colours.halo) >= least


def test_names_over_imagery_are_white_in_a_dark_halo() -> None:
    for style in every_style():
        if "imagery" not in style["sources"]:
            continue
        order = [each["id"] for each in style["layers"]]
        assert order[:2] == ["background", "imagery"]
        for layer in style["layers"]:
            if layer["type"] == "symbol":
                assert layer["paint"]["text-color"] == ON_IMAGERY
                assert contrast(layer["paint"]["text-halo-color"], ON_IMAGERY) > 12
