"""The kinds of institutions at the desk: added, changed, ordered, retired, deleted; at once usable everywhere; by whom."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from django.test import Client
from django.utils import timezone

from geo.errors import BadInput
from geo.imports.models import Correction
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.keeping import keep_facility
from services.facilities.kinds import kind_of
from services.facilities.kinds.icons import ICONS
from services.facilities.models import Facility, FacilityKind
from services.facilities.restoring import restore_kind
from services.kernel.forms.models import LibraryField
from services.kernel.logs.models import NotedChange
from tiles.schemes import tile_at

pytestmark = pytest.mark.usefixtures("city")
ALL = Scope(paths=("",), duties=frozenset({"*"}), actor="system")
CAMP = {"group": "tourism", "name": "露营地", "icon": "tent", "act": "save"}
LINES = {
    "a.key": ["", "", ""],
    "a.label": ["营位", "住法", ""],
    "a.type": ["integer", "choice", "text"],
    "a.unit": ["个", "", ""],
    "a.choices": ["", "自带帐篷、营地帐篷、木屋", ""],
    "a.filterable": ["1"],
}


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def anyone() -> Client:
    return Client(headers={"host": "localhost"})


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def revision(client: Client, key: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', text(client.get(f"/desk/kinds/{key}")))
    assert found is not None
    return found[1]


def posted(client: Client, key: str, **fields: Any) -> str:
    """Press a button of a kind's page as it stands now."""
    fields.setdefault("revision", revision(client, key))
    return text(client.post(f"/desk/kinds/{key}", fields, follow=True))


def lines_of(group: str, page: str) -> list[str]:
    section = re.search(rf'<section class="card" id="{group}".*?</section>', page, re.S)
    assert section is not None
    return re.findall(r'<p><a href="/desk/kinds/\w+">([^<]+)</a>', section[0])


def place(kind: str, name: str, number: int = 1, **said: Any) -> Facility:
    """Add a place as staff do, at the first standard address of the city."""
    from geo.addresses.models import Address

    door = Address.objects.filter(retired_at=None).order_by("pk")[number]
    inside = RegionVersion.objects.filter(edition__state="published", level="city").first()
    assert inside is not None
    values = {"kind_id": kind, "name": name, "address_text": door.text, **said}
    return keep_facility(values=values, inside=inside, mark=f"try-{name}", reason="试", scope=ALL)


def pins(spot: Facility, kinds: str) -> set[int]:
    tile = tile_at(spot.geom.x, spot.geom.y, 16)
    answer = anyone().get(f"/tiles/places/{tile.z}/{tile.x}/{tile.y}.mvt?kinds={kinds}")
    decoded = mapbox_vector_tile.decode(answer.content) if answer.content else {}
    return {one["properties"]["id"] for layer in decoded.values() for one in layer["features"]}


@pytest.mark.covers("CM-ISL-12a", via="services.facilities.kinds.actions:_locked")
def test_managers_class_places_by_kinds_and_add_change_and_delete_kinds() -> None:
    shi = signed_in("shi")
    # By 景点、民宿、酒店、游乐场: each is a kind that places are of and lists are narrowed by.
    assert lines_of("tourism", text(shi.get("/desk/kinds"))) == ["景点", "民宿", "酒店", "游乐场"]
    inn = place("guesthouse", "瀛岛小筑民宿")
    hotel = place("hotel", "瀛岛大酒店", 2)
    found = text(anyone().get("/places", {"kinds": "tourism", "type": "guesthouse"}))
    assert inn.name in found
    assert hotel.name not in found
    # A new one.
    assert "已新增“露营地”" in text(shi.post("/desk/kinds/new", CAMP | LINES, follow=True))
    assert lines_of("tourism", text(shi.get("/desk/kinds"))) == ["景点", "民宿", "酒店", "游乐场", "露营地"]
    camp = place("luyingdi", "东滩露营地", 3)
    assert camp.name in text(anyone().get("/places", {"kinds": "luyingdi"}))
    # Changed: its name, and a declared one's too.
    page = posted(shi, "luyingdi", name="营地", icon="mountain", act="save")
    assert "已保存“营地”" in page
    assert "营地" in lines_of("tourism", text(shi.get("/desk/kinds")))
    assert "营地" in text(anyone().get(f"/places/{camp.pk}"))
    assert "已保存“乡村民宿”" in posted(shi, "guesthouse", name="乡村民宿", icon="house-heart", act="save")
    assert "乡村民宿" in text(anyone().get(f"/places/{inn.pk}"))
    # Deleted: only after its places have another kind, in one act.
    assert "还有 1 家机构是“营地”" in posted(shi, "luyingdi", act="delete", into="")
    page = posted(shi, "luyingdi", act="delete", into="attraction")
    assert "已删除“营地”，1 家机构已移到“景点”" in page
    assert lines_of("tourism", page) == ["景点", "乡村民宿", "酒店", "游乐场"]
    assert camp.name in text(anyone().get("/places", {"kinds": "attraction"}))
    assert shi.get("/desk/kinds/luyingdi").status_code == 404
    correction = Correction.objects.get(source=camp.source, ext_id=camp.ext_id, field="kind")
    assert (correction.old_value, correction.new_value, correction.actor) == ("luyingdi", "attraction", "shi")


def test_a_new_kind_is_at_once_usable_everywhere() -> None:
    shi = signed_in("shi")
    shi.post("/desk/kinds/new", CAMP | LINES)
    kind = kind_of("luyingdi")
    assert [(one.label, one.type, one.unit) for one in kind.attributes] == [
        ("营位", "integer", "个"),
        ("住法", "choice", ""),
    ]
    bed = kind.attributes[1]
    camp = place("luyingdi", "东滩露营地", 3)
    other = place("luyingdi", "西沙露营地", 4)
    Facility.objects.filter(pk=camp.pk).update(attributes={kind.attributes[0].key: 30, bed.key: bed.choices[2][0]})
    # The page of the place, the list by kind and by what it says, the filter of the group.
    page = text(anyone().get(f"/places/{camp.pk}"))
    assert "营位" in page
    assert "30 个" in page
    assert "木屋" in page
    cabins = text(anyone().get("/places", {"kinds": "luyingdi", bed.key: bed.choices[2][0]}))
    assert camp.name in cabins
    assert other.name not in cabins
    assert "住法" in cabins
    assert "露营地" in text(anyone().get("/places", {"kinds": "tourism"}))
    # The map, the search box, the API.
    assert camp.pk in pins(camp, "luyingdi")
    assert camp.pk in pins(camp, "tourism")
    assert camp.pk not in pins(camp, "hotel")
    offered = anyone().get("/api/v1/suggest", {"q": "东滩露营地"}).json()
    assert any("露营地" in str(one.get("where", "")) for one in offered["suggestions"])
    known = {one["key"]: one for group in anyone().get("/api/v1/kinds").json()["groups"] for one in group["kinds"]}
    assert known["luyingdi"]["name"] == "露营地"
    listed = anyone().get("/api/v1/places", {"kinds": "luyingdi"}).json()["places"]
    assert {one["id"] for one in listed} == {camp.pk, other.pk}
    # The ledger of staff: its filter and the template of the sheet.
    assert "露营地" in text(shi.get("/desk/ledgers/facilities"))
    assert "露营地" in text(shi.get("/desk/ledgers/facilities/import"))
    # The menu of the first page.
    assert "露营地" in text(anyone().get("/", {"kinds": "tourism"}))


def test_what_is_retired_is_offered_no_more_and_stays_readable() -> None:
    shi, inn = signed_in("shi"), place("guesthouse", "瀛岛小筑民宿")
    assert "已停用“民宿”" in posted(shi, "guesthouse", act="retire")
    assert "民宿" not in [
        kind["name"] for group in anyone().get("/api/v1/kinds").json()["groups"] for kind in group["kinds"]
    ]
    assert inn.name not in text(anyone().get("/places", {"kinds": "tourism"}))
    assert "民宿" in text(anyone().get(f"/places/{inn.pk}"))
    assert inn.name in text(anyone().get("/places", {"kinds": "guesthouse"}))
    assert "民宿（已停用）" in text(shi.get("/desk/ledgers/facilities"))
    assert "已恢复“民宿”" in posted(shi, "guesthouse", act="restore")
    assert inn.name in text(anyone().get("/places", {"kinds": "tourism"}))


def test_two_people_double_clicks_and_stale_pages_lose_and_double_nothing() -> None:
    shi = signed_in("shi")
    shi.post("/desk/kinds/new", CAMP | LINES)
    again = shi.post("/desk/kinds/new", CAMP | LINES)
    assert again.status_code == 400
    assert "已有“露营地”这个类别" in text(again)
    assert FacilityKind.objects.filter(name="露营地").count() == 1
    stale = revision(shi, "luyingdi")
    posted(shi, "luyingdi", name="营地", icon="tent", act="save", **_as_shown(shi, "luyingdi"))
    late = shi.post("/desk/kinds/luyingdi", {"act": "save", "name": "野营地", "icon": "tent", "revision": stale})
    assert late.status_code == 409
    assert "“营地”刚被 shi 改过" in text(late)
    assert 'value="野营地"' in text(late)
    assert FacilityKind.objects.get(key="luyingdi").name == "营地"
    assert shi.post("/desk/kinds/luyingdi", {"act": "delete", "revision": stale}).status_code == 409
    # Orders: the page says which order it saw.
    page = text(shi.get("/desk/kinds"))
    seen = re.search(r'name="seen" value="(attraction[^"]*)"', page)
    assert seen is not None
    assert shi.post("/desk/kinds", {"act": "up:hotel", "seen": seen[1]}).status_code == 302
    assert shi.post("/desk/kinds", {"act": "up:hotel", "seen": seen[1]}).status_code == 409
    assert lines_of("tourism", text(shi.get("/desk/kinds"))) == ["景点", "酒店", "民宿", "游乐场", "营地"]
    told = {group["name"]: group["kinds"] for group in anyone().get("/api/v1/kinds").json()["groups"]}
    assert [kind["name"] for kind in told["旅游"]] == ["景点", "酒店", "民宿", "游乐场", "营地"]


def _as_shown(client: Client, key: str) -> dict[str, list[str]]:
    """Return the lines of attributes as the page shows them."""
    page = text(client.get(f"/desk/kinds/{key}"))
    found: dict[str, list[str]] = {}
    for name in ("a.key", "a.label", "a.unit", "a.choices"):
        found[name] = re.findall(rf'name="{re.escape(name)}" value="([^"]*)"', page)
    found["a.type"] = [
        (re.search(r'value="(\w+)" selected', options) or ["", "text"])[1]
        for options in re.findall(r'<select[^>]*name="a\.type">(.*?)</select>', page, re.S)
    ]
    return found


def test_what_places_said_is_not_lost_by_a_change_of_the_kind() -> None:
    shi = signed_in("shi")
    shi.post("/desk/kinds/new", CAMP | LINES)
    key = kind_of("luyingdi").attributes[0].key
    camp = place("luyingdi", "东滩露营地", 3)
    Facility.objects.filter(pk=camp.pk).update(attributes={key: 30})
    shown = _as_shown(shi, "luyingdi")
    refused = posted(shi, "luyingdi", act="save", name="露营地", icon="tent", **{**shown, "a.drop": ["0"]})
    assert "有 1 家机构填了“营位”" in refused
    refused = posted(
        shi, "luyingdi", act="save", name="露营地", icon="tent", **shown | {"a.type": ["day", "choice"] + ["text"] * 3}
    )
    assert "有 1 家机构填了“营位”" in refused
    # Reworded it stays the same attribute; the other one, which nobody filled, may go.
    labels = ["营位数", *shown["a.label"][1:]]
    posted(shi, "luyingdi", act="save", name="露营地", icon="tent", **shown | {"a.label": labels, "a.drop": ["1"]})
    assert [(one.key, one.label) for one in kind_of("luyingdi").attributes] == [(key, "营位数")]
    assert "营位数" in text(anyone().get(f"/places/{camp.pk}"))


def test_declared_kinds_are_not_deleted_nor_rewritten_and_the_last_of_a_group_stays() -> None:
    shi = signed_in("shi")
    assert "系统内置的类别，不能删除" in posted(shi, "hotel", act="delete", into="attraction")
    before = kind_of("hotel").attributes
    posted(shi, "hotel", act="save", name="酒店宾馆", icon="hotel", **LINES)
    assert (kind_of("hotel").name, kind_of("hotel").attributes) == ("酒店宾馆", before)
    for key in ("attraction", "guesthouse", "hotel"):
        posted(shi, key, act="retire")
    assert "只剩这一个在用的类别" in posted(shi, "amusement_park", act="retire")
    bad = shi.post("/desk/kinds/new", CAMP | {"name": "养老"})
    assert bad.status_code == 400
    assert "已有“养老”这个类别或大类" in text(bad)
    assert "请在列出的图标里选" in text(shi.post("/desk/kinds/new", CAMP | {"icon": "skull"}))


def test_districts_keep_kinds_of_their_own_and_nobody_elses() -> None:
    shi, district = signed_in("shi"), signed_in("qu")
    made = text(district.post("/desk/kinds/new", CAMP, follow=True))
    assert "已新增“露营地”" in made
    row = FacilityKind.objects.get(key="luyingdi")
    assert row.region is not None
    assert "已保存“营地”" in posted(district, "luyingdi", name="营地", icon="tent", act="save")
    assert "这个类别不由您维护" in text(district.get("/desk/kinds/hotel"))
    answer = district.post("/desk/kinds/hotel", {"act": "save", "name": "旅馆", "icon": "hotel", "revision": "1"})
    assert answer.status_code == 403
    assert district.post("/desk/kinds", {"act": "up:hotel", "seen": ""}).status_code == 403
    assert FacilityKind.objects.get(key="hotel").name == "酒店"
    assert "已保存“露营基地”" in posted(shi, "luyingdi", name="露营基地", icon="tent", act="save")
    for name in ("jiezhen", "jumin"):
        assert signed_in(name).get("/desk/kinds").status_code == 403


def test_a_kind_that_a_form_asks_for_is_not_deleted_under_it() -> None:
    shi = signed_in("shi")
    shi.post("/desk/kinds/new", CAMP)
    field = LibraryField.objects.create(
        key="camp",
        label="就近营地",
        group="其他",
        kind="place",
        options={"facility_kind": "luyingdi"},
        changed_by="shi",
    )
    assert "“露营地”还用在：字段“就近营地”" in posted(shi, "luyingdi", act="delete")
    field.delete()
    assert "已删除“露营地”" in posted(shi, "luyingdi", act="delete")


def test_a_change_is_told_in_the_log_and_can_be_undone() -> None:
    shi = signed_in("shi")
    posted(shi, "guesthouse", name="乡村民宿", icon="tent", act="save")
    posted(shi, "guesthouse", act="retire")
    row = FacilityKind.objects.get(key="guesthouse")
    changes = list(NotedChange.objects.filter(kind="facility_kind", object_id="guesthouse").order_by("pk"))
    assert [(one.op, one.actor) for one in changes][-2:] == [("UPDATE", "shi")] * 2
    before = {"name": "民宿", "icon": "house-heart", "retired_at": None}
    restore_kind(pk="guesthouse", before=before, after={}, scope=ALL, reason="改错了")
    row.refresh_from_db()
    assert (row.name, row.icon, row.retired_at) == ("民宿", "house-heart", None)
    assert inn_kinds() == ["景点", "民宿", "酒店", "游乐场"]
    with pytest.raises(BadInput):
        restore_kind(pk="guesthouse", before={"order": 3}, after={}, scope=ALL, reason="改错了")


def inn_kinds() -> list[str]:
    groups = anyone().get("/api/v1/kinds").json()["groups"]
    return [kind["name"] for group in groups if group["key"] == "tourism" for kind in group["kinds"]]


def test_a_process_follows_what_another_wrote_with_its_next_request() -> None:
    assert "民宿" in inn_kinds()
    # As another process would: no code of this one is told.
    now = timezone.now()
    FacilityKind.objects.create(key="yugang", group="tourism", name="渔港", icon="fish", order=900, changed_at=now)
    FacilityKind.objects.filter(key="guesthouse").update(name="客栈", revision=9)
    assert inn_kinds() == ["景点", "客栈", "酒店", "游乐场", "渔港"]
    FacilityKind.objects.filter(key="yugang").delete()
    assert inn_kinds() == ["景点", "客栈", "酒店", "游乐场"]


def test_every_icon_that_is_offered_is_drawn() -> None:
    listed = (Path(__file__).parents[2] / "web/serving/icons.txt").read_text(encoding="utf-8").split()
    assert set(ICONS) <= set(listed)
