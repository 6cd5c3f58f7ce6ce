"""Maps as pictures: PNG and PDF of what is seen, with title, legend, scale and date, on a phone and at a desk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in


def taken(page: Any, folder: Path, button: str) -> Path:
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def words_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == 1
        return str(document[0].get_textpage().get_text_range())


def colours(path: Path, box: tuple[float, float, float, float]) -> int:
    """Return how many colours a part of a picture has; the box is in shares of its sides."""
    with Image.open(path) as picture:
        wide, high = picture.size
        part = picture.convert("RGB").crop(
            (int(box[0] * wide), int(box[1] * high), int(box[2] * wide), int(box[3] * high))
        )
        return len(part.getcolors(maxcolors=2**24))


def test_a_layer_is_taken_as_a_picture(open_page: Any, live_city: str, tmp_path: Path) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/layers/places")
    page.locator("[data-ready]").wait_for()
    page.locator("summary", has_text="存图").click()
    expect(page.get_by_label("标题")).to_have_value("服务设施")
    assert faults_of(page) == []
    page.get_by_label("标题").fill("全市服务设施")
    path = taken(page, tmp_path, "存为图片")
    assert path.name == "全市服务设施.png"
    with Image.open(path) as picture:
        assert picture.size == (1754, 1240)
    assert colours(path, (0.05, 0.04, 0.4, 0.1)) > 4  # the title
    assert colours(path, (0.4, 0.3, 0.8, 0.8)) > 20  # the map
    assert colours(path, (0.04, 0.93, 0.5, 0.98)) > 4  # date, source and approval
    page.get_by_label("纸张").select_option(label="A3 横向")
    path = taken(page, tmp_path, "存为 PDF")
    with pikepdf.open(path) as document:
        assert [round(float(edge) / 72 * 25.4) for edge in document.pages[0].mediabox][2:] == [420, 297]
        assert str(document.docinfo["/Title"]) == "全市服务设施"
    said = words_of(path)
    assert "全市服务设施" in said
    assert re.search(r"20\d\d年\d+月\d+日", said)
    assert "审图号" in said
    assert re.search(r"\d (米|公里)", said)  # the scale
    assert "北" in said


def test_the_circle_of_a_home_is_taken_with_its_pins_and_legend(
    open_page: Any, live_city: str, families: Any, tmp_path: Path
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/?q={families.name}&kinds=childcare&minutes=15&mode=pram")
    page.locator(".maplibregl-marker .pin, .maplibregl-marker.pin").first.wait_for()
    page.locator("summary", has_text="存图").click()
    page.locator(".map-picture").get_by_label("纸张").select_option(label="A4 竖向")
    path = taken(page, tmp_path, "存为图片")
    with Image.open(path) as picture:
        assert picture.size == (1240, 1754)
        legend = picture.convert("RGB").crop((60, 1500, 620, 1620))
    accent = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()")
    wanted = tuple(int(accent[at : at + 2], 16) for at in (1, 3, 5))
    with Image.open(path) as picture:
        assert wanted in {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=2**24)}
    assert len(legend.getcolors(maxcolors=2**24)) > 8


def test_a_phone_takes_a_layer_too(open_page: Any, live_city: str, tmp_path: Path) -> None:
    page = open_page(390, 844, has_touch=True)
    page.goto(f"{live_city}/layers/places")
    page.locator("[data-ready]").wait_for()
    page.locator("summary", has_text="存图").click()
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    path = taken(page, tmp_path, "存为图片")
    assert colours(path, (0.4, 0.3, 0.8, 0.8)) > 20


def test_a_choropleth_is_taken_with_its_finding_legend_period_and_source(
    open_page: Any, live_city: str, tmp_path: Path
) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/watch/areas/elder_places")
    finding = page.locator("#finding").inner_text()
    page.locator("summary", has_text="存图").click()
    expect(page.get_by_label("标题")).to_have_value(finding)
    assert faults_of(page) == []
    path = taken(page, tmp_path, "存为图片")
    with Image.open(path) as picture:
        assert picture.size == (1754, 1240)
        seen = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=2**24)}
    filled = page.locator(".areas-whole .area").evaluate_all("(all) => all.map((one) => getComputedStyle(one).fill)")
    told = {tuple(int(part) for part in re.findall(r"\d+", fill)) for fill in filled if fill.startswith("rgb")}
    assert told
    assert told <= seen  # every class as the page colours it
    legend = page.locator(".areas-legend [aria-label=图例] li span:first-of-type").all_inner_texts()
    path = taken(page, tmp_path, "存为 PDF")
    said = words_of(path)
    for words in (finding, "上海市 · 养老服务设施（处）· 现状", "截至 20", "来源：", "审图号", *legend):
        assert words in said, words
    page.get_by_label("纸张").select_option(label="A4 竖向")
    page.get_by_label("标题").fill("全市养老服务设施分布")
    path = taken(page, tmp_path, "存为 PDF")
    assert "全市养老服务设施分布" in words_of(path)
    with pikepdf.open(path) as document:
        assert [round(float(edge) / 72 * 25.4) for edge in document.pages[0].mediabox][2:] == [210, 297]
    page.locator(".areas-row").first.click()  # another region is opened without leaving the page
    expect(page.locator(".areas-crumbs, .watch-crumbs").first).to_be_visible()
    page.locator("summary", has_text="存图").click()
    expect(page.get_by_label("标题")).to_have_value(page.locator("#finding").inner_text())


def pixels(path: Path) -> np.ndarray[Any, Any]:
    """Return the colours of a picture between its title and its foot, which says the minute."""
    with Image.open(path) as picture:
        whole = np.asarray(picture.convert("RGB"), dtype=np.int16)
    return whole[int(0.13 * len(whole)) : int(0.92 * len(whole))]


@pytest.mark.parametrize("path", ["/watch/areas/elder_places", "/watch/heat/elder_places?by=8", "/layers/places"])
def test_paper_is_light_though_the_page_is_dark(open_page: Any, live_city: str, tmp_path: Path, path: str) -> None:
    """Taken in the dark a picture is the one taken in the light, and the page is dark again."""
    drawn = {}
    for look in ("light", "dark"):
        page = open_page(1440, 900, color_scheme=look)
        sign_in(page, live_city, "shi", path)
        if "areas" not in path:
            page.locator("[data-ready]").wait_for()
            page.wait_for_function("() => document.querySelector('[data-ready]').quantu.areTilesLoaded()")
        page.locator("summary", has_text="存图").click()
        drawn[look] = pixels(taken(page, tmp_path, "存为图片"))
    background = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--bg').trim()")
    assert background == "#10151b"
    expect(page.locator(".paper-veil")).to_have_count(0)
    assert page.evaluate("document.documentElement.className.includes('paper')") is False
    unlike = np.abs(drawn["light"] - drawn["dark"]).max(axis=2) > 24
    assert unlike.mean() < 0.002
    assert len(np.unique(drawn["dark"].reshape(-1, 3), axis=0)) > 20


def test_signs_of_a_legend_keep_their_colours(open_page: Any, live_city: str, tmp_path: Path) -> None:
    page = open_page(1440, 900)
    sign_in(page, live_city, "shi", "/watch/elder")
    page.locator('#watch-map[data-drawn="true"]').wait_for(state="attached", timeout=60_000)
    page.locator("summary", has_text="存图").click()
    path = taken(page, tmp_path, "存为图片")
    with Image.open(path) as picture:
        seen = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=2**24)}
    for level in ("--bad", "--warn", "--accent"):
        named = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{level}').trim()")
        assert tuple(int(named[at : at + 2], 16) for at in (1, 3, 5)) in seen, level


def test_families_take_the_map_on_a_phone_from_below_the_list(
    open_page: Any, live_city: str, families: Any, tmp_path: Path
) -> None:
    page = open_page(390, 844, has_touch=True)
    page.goto(f"{live_city}/?q={families.name}&kinds=childcare&minutes=15&mode=pram")
    page.locator(".maplibregl-marker .pin, .maplibregl-marker.pin").first.wait_for()
    page.locator("#sheet-handle").click()
    offered = page.locator(".phone-picture summary")
    offered.scroll_into_view_if_needed()
    assert (offered.bounding_box() or {})["height"] >= 44
    offered.click()
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".phone-picture").get_by_label("标题").fill("带孩子走得到的托育")
    path = taken(page, tmp_path, "存为 PDF")
    said = words_of(path)
    assert "带孩子走得到的托育" in said
    assert "15 分钟" in said  # the legend, which has no room beside the sheet
    assert "15 分\r" not in said.replace("\n", "\r")  # what stands on pins is part of the map
    assert colours_of_pdf(path) > 20


def colours_of_pdf(path: Path) -> int:
    with pypdfium2.PdfDocument(path) as document:
        return len(document[0].render(scale=1).to_pil().convert("RGB").getcolors(maxcolors=2**24))
