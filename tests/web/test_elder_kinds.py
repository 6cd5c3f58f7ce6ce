"""Every kind of institution and facility for elders: kept by managers of the city and of districts, and by those who run it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from geo.addresses.geocode import geocode
from geo.addresses.models import Address
from geo.addresses.placing import single_place
from services.access.models import Organisation
from services.facilities.kinds import known_kind
from services.facilities.models import Facility
from services.facilities.upkeep.models import FacilityChange
from tests.web.test_place_upkeep import ALL, HUANGPU, below, edit, form_of, said, signed_in

pytestmark = pytest.mark.usefixtures("city")
KINDS = {
    "养老机构": "care_home",
    "长者照护之家": "elder_home",
    "日间照护机构": "day_care",
    "居家养老服务机构": "home_care",
    "老年助餐服务场所": "canteen",
    "综合为老服务中心": "service_centre",
    "老年活动室": "activity_room",
    "睦邻点": "neighbour_point",
    "长者运动健康之家": "exercise_home",
    "家门口养老服务站": "elder_station",
}
"""The kinds as the row names them, and our keys; two of them bear the words that people use."""
OUR_WORDS = {"日间照护机构": "日间照护中心", "老年助餐服务场所": "长者食堂"}


def doors(count: int) -> list[tuple[str, Any]]:
    """Return written addresses of 黄浦 that have one sharp place each."""
    sharp = []
    rows = Address.objects.filter(retired_at=None, region__in=below(HUANGPU), room="").exclude(number="").order_by("pk")
    for address in rows.iterator():
        place = single_place(geocode(f"黄浦区{address.normal}", scope=ALL))
        if place is not None and place.level == "door" and place.region and place.region.path.startswith(HUANGPU):
            sharp.append((f"黄浦区{address.normal}", place))
        if len(sharp) == count:
            return sharp
    raise AssertionError("the tiny city has too few doors")


def added(client: Client, kind: str, name: str, at: tuple[str, Any]) -> Facility:
    """Preview a place and submit it, and return it; nothing is there before."""
    text, where = at
    form = form_of(client, f"/desk/places/new?kind_id={kind}") | {
        "kind_id": kind, "name": name, "phone": "021-63215678", "attributes.ownership": "community",
        "attributes.step_free": "1", "hours.mon": "8:00-16:00", "status": "open", "address_text": text,
        "lon": f"{where.lon:.7f}", "lat": f"{where.lat:.7f}",
    }  # fmt: skip
    preview = said(client.post("/desk/places/new", {**form, "step": "preview"}))
    assert [word for word in (name, "021-63215678", "社区", "08:00–16:00") if word not in preview] == []
    assert not Facility.objects.filter(name=name).exists()
    assert "已新增" in said(client.post("/desk/places/new", {**form, "step": "save"}, follow=True))
    return Facility.objects.get(name=name)


def found(client: Client, place: Facility, kind: str) -> bool:
    """Say whether the ledger of the desk lists a place, asked for its name and a kind."""
    page = said(client.get("/desk/ledgers/facilities", {"f.kind_id": kind, "q": place.name}))
    return f'id="row-{place.pk}"' in page


@pytest.mark.covers("ELD-BIZ-01", via="services.facilities.upkeep.actions:add_facility")
def test_institutions_and_facilities_of_every_kind_are_kept_and_keep_their_figures_themselves() -> None:
    """养老服务机构信息管理 of all ten kinds by 市 and 区管理员: added, queried, changed, taken down; 养老机构 reports its own."""
    managers, anyone = [signed_in("qu"), signed_in("shi")], Client(headers={"host": "localhost"})
    made: dict[str, Facility] = {}
    for number, ((kind, key), at) in enumerate(zip(KINDS.items(), doors(len(KINDS)), strict=True)):
        manager, name, ours = managers[number % 2], f"小银杏{kind}", OUR_WORDS.get(kind, kind)
        assert known_kind(key).name == ours
        made[key] = place = added(manager, key, name, at)
        # queried at the desk by its kind and by its name, and by everybody
        assert found(manager, place, key)
        assert not found(manager, place, "nursery")
        shown = said(anyone.get(f"/places/{place.pk}"))
        assert [word for word in (name, ours, "021-63215678", at[0]) if word not in shown] == []
        # changed with a reason, what stood there before is kept
        changed = {**form_of(manager, edit(place)), "phone": "021-63219999", "reason": "电话核实"}
        assert "已保存" in said(manager.post(edit(place), changed, follow=True))
        history = said(manager.get(f"/desk/places/{place.pk}/history"))
        assert [word for word in ("电话核实", "021-63215678", "021-63219999") if word not in history] == []
        assert "021-63219999" in said(anyone.get(f"/places/{place.pk}"))

    # 养老机构: who runs it sees it among its own, and reports what is free
    home = made["care_home"]
    Facility.objects.filter(pk=home.pk).update(organisation=Organisation.objects.get(name="小石库门托育园（演示）"))
    head = signed_in("jigou")
    card = said(head.get("/my/places")).split(f'id="place-{home.pk}"')[1].split("</article>")[0]
    seen, mark = (re.findall(rf'name="{name}" value="([^"]+)"', card)[-1] for name in ("seen", "mark"))
    told = {"seen": seen, "mark": mark, "change": "1", "vacancies": "7", "places": "60"}
    assert head.post(f"/my/places/{home.pk}/confirm", told).status_code == 302
    home.refresh_from_db()
    assert (home.places, home.vacancies) == (60, 7)
    other = made["canteen"]
    assert head.post(f"/my/places/{other.pk}/confirm", told).status_code == 404

    # taken down: on no page and in no list any more
    for number, place in enumerate(made.values()):
        manager = managers[number % 2]
        version = form_of(manager, edit(place))["version"]
        gone = manager.post(f"/desk/places/{place.pk}/retire", {"reason": "登记错了", "version": version})
        assert gone.status_code == 302
        assert anyone.get(f"/places/{place.pk}").status_code == 404
        assert not found(manager, place, place.kind_id)


@pytest.mark.parametrize("who", ["jumin", "jigou", "guihua"])
def test_nobody_else_adds_one(who: str) -> None:
    client = signed_in(who)
    assert client.get("/desk/places/new?kind_id=home_care").status_code == 403
    assert (
        client.post("/desk/places/new", {"kind_id": "home_care", "name": "不该有", "step": "save"}).status_code == 403
    )
    assert not FacilityChange.objects.exists()


def test_the_invented_city_has_places_of_every_kind() -> None:
    for key in KINDS.values():
        rows = Facility.objects.filter(retired_at=None, kind=key)
        assert rows.filter(region__in=below(HUANGPU)).exists(), key
