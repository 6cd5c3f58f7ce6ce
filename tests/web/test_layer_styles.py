"""How layers are drawn, over HTTP: the desk's form without script, what is refused, versions, and styles as data."""

from __future__ import annotations

import html
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from layers.styles.classing import Spread
from layers.styles.models import StyleVersion
from services.access.demo import make_demo_accounts
from services.access.models import User
from web.doors.maps.layer_styles import histogram_of

pytestmark = pytest.mark.usefixtures("city")
PAGE = "/desk/layers/buildings/style"


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def anyone() -> Client:
    return Client(headers={"host": "localhost"})


def posted(client: Client, act: str, **fields: Any) -> tuple[int, str]:
    answer = client.post(PAGE, {"act": act, "key": str(uuid4()), "seen": "0", **fields}, follow=True)
    return answer.status_code, html.unescape(answer.content.decode())


CLASSES = {
    "kind": "classes",
    "attribute": "height_m",
    "method": "quantile",
    "classes": "4",
    "palette": "gap",
    "unit": "米",
}


def test_classes_are_found_previewed_and_saved() -> None:
    shi = signed_in("shi")
    status, page = posted(shi, "preview", **CLASSES)
    assert status == 200
    assert "高度（米）" in page
    assert "style-histogram" in page
    assert not StyleVersion.objects.exists()
    status, page = posted(shi, "save", **CLASSES, note="按高度")
    assert "已保存第 1 版" in page
    kept = StyleVersion.objects.get()
    assert (kept.layer, kept.made_by, kept.note) == ("buildings", "shi", "按高度")
    assert len(kept.data["breaks"]) == 3
    drawn = anyone().get("/layers/buildings/style.json?theme=dark").json()
    assert drawn["version"] == 8
    steps = json.dumps(drawn["layers"])
    assert all(str(cut) in steps for cut in kept.data["breaks"])
    legend = anyone().get("/layers/buildings/legend.json").json()
    from geo.basemap.models import BasemapFeature

    entries = [one for one in legend["entries"] if one["words"] != "没有数据"]
    told = BasemapFeature.objects.filter(retired_at=None, kind="building").exclude(height_m=None).count()
    assert sum(one["count"] for one in entries) == told > 10
    assert [one["colour"] for one in entries] == ["gap-1", "gap-2", "gap-4", "gap-5"]


def test_breaks_by_hand_are_held_against_the_rules() -> None:
    shi = signed_in("shi")
    by_hand = CLASSES | {"method": "manual"}
    for breaks, said in (("20, 10", "从小到大"), ("10, x", "分级"), ("", "2 到 9 级"), ("1,2,3,4,5,6", "不够分 7 级")):
        status, page = posted(shi, "save", **by_hand | {"breaks": breaks})
        assert status == 400, breaks
        assert said in page, breaks
    status, page = posted(shi, "save", **by_hand | {"breaks": "100，200、300"})
    assert "已保存第 1 版" in page
    assert StyleVersion.objects.get().data["breaks"] == [100.0, 200.0, 300.0]


def test_versions_come_back_and_stale_forms_are_told() -> None:
    shi = signed_in("shi")
    posted(shi, "save", **CLASSES)
    status, page = posted(shi, "save", **CLASSES | {"classes": "3"})
    assert status == 409
    assert "shi 刚保存了第 1 版" in page
    _, page = posted(shi, "save", **CLASSES | {"classes": "3"}, seen="1")
    assert "已保存第 2 版" in page
    _, page = posted(shi, "restore:1", seen="2")
    assert "已保存第 3 版" in page
    assert "恢复第 1 版" in page
    posted(shi, "restore:0", seen="3")
    assert StyleVersion.objects.first().data == {}  # type: ignore[union-attr]


def test_a_style_goes_out_and_comes_in_as_json() -> None:
    shi = signed_in("shi")
    status, page = posted(shi, "import", json=json.dumps({"kind": "single", "tone": 3}))
    assert status == 200
    assert "还没有保存" in page
    assert not StyleVersion.objects.exists()
    for text, said in (
        ("{", "不是 JSON"),
        ('{"kind": "single", "label": "gone"}', "没有可以标注的属性"),
        ("[" * 9000, "JSON"),
    ):
        status, page = posted(shi, "import", json=text)
        assert status == 400
        assert said in page


def test_only_the_city_styles_its_layers_and_nobody_sees_others() -> None:
    assert signed_in("qu").get(PAGE).status_code == 403
    assert anyone().get(PAGE).status_code == 302
    assert anyone().get("/layers/gone/style.json").status_code == 404
    assert anyone().get("/layers/buildings/style.json?theme=neon").status_code == 404


def test_a_histogram_counts_every_value_once() -> None:
    found = histogram_of(Spread((1.0, 2.0, 100.0), (3, 4, 5), missing=2))
    assert found is not None
    assert len(found.bars) == 2
    assert max(one.height for one in found.bars) == 120
    assert "12 个值，从 1 到 100，另有 2 个没有数据" in found.said
    assert histogram_of(Spread((5.0,), (9,))) is None
    assert histogram_of(Spread((), ())) is None
