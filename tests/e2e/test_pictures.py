"""Maps as pictures: PNG and PDF of what is seen, with title, legend, scale and date, on a phone and at a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from tests.e2e.conftest import faults_of


def taken(page: Any, folder: Path, button: str) -> Path:
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


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
    assert page.get_by_label("标题").input_value() == "服务设施"
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


def test_the_circle_of_a_home_is_taken_with_its_pins_and_legend(
    open_page: Any, live_city: str, families: Any, tmp_path: Path
) -> None:
    page = open_page(1440, 900)
    page.goto(f"{live_city}/?q={families.name}&kinds=childcare&minutes=15&mode=pram")
    page.locator(".maplibregl-marker .pin, .maplibregl-marker.pin").first.wait_for()
    page.locator("summary", has_text="存图").click()
    page.get_by_label("纸张").select_option(label="A4 竖向")
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
