"""Offline maps as people take them away: opened from a folder without a network, on a phone and at a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import faults_of

HOSTILE: Final = """<img src=x onerror="window.broken=1">{{ 7*7 }}{% raise %}</script><script>window.broken=2</script>'"`${window.broken=3}"""
MAP: Final = "Object.values(window).find((each) => each instanceof L.Map)"
COLOURS: Final = f"""() => {{ const found = {{}};
  {MAP}.eachLayer((layer) => {{ if (layer.getRadius && layer.options.fill) {{ const colour = layer.options.fillColor; found[colour] = (found[colour] || 0) + 1; }} }});
  return found; }}"""


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def opened(open_page: Any, path: Path, width: int = 390) -> Any:
    """Open a file without a network."""
    page = open_page(width, 844)
    page.context.set_offline(True)
    page.goto(path.as_uri())
    page.locator(".leaflet-container canvas").wait_for()
    return page


@pytest.mark.usefixtures("worker", "own_folder")
def test_somebody_takes_the_parks_along(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from layers.styles.models import StyleVersion
    from services.facilities.models import Facility

    style = {"kind": "categories", "attribute": "kind", "categories": [{"value": "park", "title": "公园"}]}
    StyleVersion.objects.create(key=uuid4(), layer="places", number=1, data=style)
    page = open_page(390, 844)
    page.goto(f"{live_city}/layers/places/export")
    page.get_by_role("radio", name="离线地图").check()
    page.get_by_role("button", name="生成文件").click()
    page.locator("#export-progress[data-state=done]").wait_for(timeout=60_000)
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载文件").click()
    assert taken.value.suggested_filename.endswith(".html")
    taken.value.save_as(tmp_path / "places.html")
    places = Facility.objects.filter(retired_at=None, status="open")
    parks, rest = places.filter(kind="park").count(), places.exclude(kind="park").count()
    report = opened(open_page, tmp_path / "places.html")
    assert sorted(report.evaluate(COLOURS).values()) == sorted([parks, rest])
    expect(report.locator(".legend")).to_contain_text(f"公园（{parks:,}）")
    expect(report.locator(".legend")).to_contain_text(f"其他（{rest:,}）")
    expect(report.get_by_role("heading", name="服务设施")).to_be_visible()
    assert report.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults_of(report) == []


def test_names_are_texts_wherever_they_stand(open_page: Any, live_city: str, tmp_path: Path) -> None:
    from geo.scope import Scope
    from layers.exports.process import write_export
    from layers.processes.spec import Asked
    from services.facilities.models import Facility

    Facility.objects.filter(kind="park").update(name=HOSTILE)
    asked = {"layer": "places", "format": "html", "filter": "kind = 'park'"}
    made = write_export(Asked(asked, Scope.public(), tmp_path, lambda share, message: None))
    page = opened(open_page, made.path, 1440)
    spot = page.evaluate(
        f"() => {{ const map = {MAP}; let found; map.eachLayer((each) => {{ if (each.getRadius) found = each; }});"
        " const at = map.latLngToContainerPoint(found.getLatLng()); return {x: at.x, y: at.y}; }"
    )
    page.locator(".leaflet-container").click(position=spot)
    expect(page.locator(".leaflet-popup-content")).to_contain_text(HOSTILE)
    expect(page.get_by_role("cell", name="{{ 7*7 }}").first).to_have_text(HOSTILE)
    assert page.evaluate("window.broken") is None
