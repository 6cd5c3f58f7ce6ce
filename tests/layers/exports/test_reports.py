"""A layer as one page that asks nobody for anything; how browsers open it is tested in ``tests/e2e/test_reports.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geo.errors import TooLarge
from geo.scope import Scope
from layers.exports import reports
from layers.exports.process import write_export
from layers.processes.spec import Asked
from services.facilities.models import Facility

pytestmark = pytest.mark.usefixtures("city")


def page_of(folder: Path, **inputs: Any) -> str:
    asked = Asked({"layer": "places", "format": "html", **inputs}, Scope.public(), folder, lambda share, message: None)
    return write_export(asked).path.read_text(encoding="utf-8")


def test_the_page_asks_no_host_for_anything(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert '<html lang="zh-CN">' in page
    assert "default-src 'none'" in page
    for asking in ("<link", 'src="http', "@import", "cdn.", "openstreetmap.org"):
        assert asking not in page


def test_the_list_is_what_the_layer_holds(tmp_path: Path) -> None:
    parks = list(Facility.objects.filter(retired_at=None, status="open", kind="park").order_by("pk"))
    page = page_of(tmp_path, filter="kind = 'park'", attributes=["name", "address"])
    assert f"共 {len(parks)} 个要素" in page
    assert all(f"<td>{park.name}</td>" in page for park in parks)
    assert f"服务设施（{len(parks)}）" in page


def test_nothing_is_a_page_too_and_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "这个条件下没有要素。" in page_of(tmp_path, filter="name = '没有这个名字'")
    monkeypatch.setattr(reports, "MOST_FEATURES", 10)
    with pytest.raises(TooLarge):
        page_of(tmp_path)


def test_names_that_mean_harm_are_texts_of_the_page(tmp_path: Path) -> None:
    names = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}{% for a in b %}",
        "`${alert(1)}`",
        "\u2028'\"</td></html>",
    ]
    parks = list(Facility.objects.filter(retired_at=None, status="open").order_by("pk")[: len(names)])
    for park, name in zip(parks, names, strict=True):
        Facility.objects.filter(pk=park.pk).update(name=name)
    page = page_of(tmp_path)
    for harm in ("<script>alert(1)", "<img src=x", ">49<", '"</td></html>'):
        assert harm not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
