"""The modes of matching from the planner's page to the parent's answer: written, imported, deleted, approved, published, asked."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from python_calamine import load_workbook

from geo.addresses.models import Address
from geo.imports.models import CURRENT
from geo.regions.models import Region
from services.access.actions import declare_roles
from services.catchments.ground import Ground, ground_of
from services.catchments.models import CatchmentEdition, RuleImport
from tests.services.access.walking import signed_in
from tests.services.catchments.workbooks import write_book

YEAR = timezone.localdate().year + 2
DISTRICT = "310101"


class Desk:
    """A district manager on the pages of an edition, a colleague who approves, and parents who ask."""

    def __init__(self, entry: str) -> None:
        declare_roles()
        region = Region.objects.get(versions__code=DISTRICT, versions__edition__state="published")
        self.region = region
        self.client = signed_in(f"manager-{entry}", "district_manager", region=region)
        self.colleague = signed_in(f"colleague-{entry}", "district_manager", region=region)
        self.entry = entry
        answer = self.client.post("/plan/begin", {"year": YEAR, "district": DISTRICT, "entry": entry, "source": ""})
        assert answer.status_code == 302
        self.edition = CatchmentEdition.objects.get(year=YEAR, entry=entry, district=region)
        self.at = f"/plan/editions/{self.edition.pk}"

    @property
    def ground(self) -> Ground:
        return ground_of(self.region.pk)

    def post(self, path: str, client: Client | None = None, **fields: Any) -> Any:
        seen = CatchmentEdition.objects.get(pk=self.edition.pk).revision
        return (client or self.client).post(f"{self.at}{path}", {"seen": seen, "key": str(uuid.uuid4()), **fields})

    def add(self, mode: str, **fields: Any) -> Any:
        return self.post("/rules/save", mode=mode, **fields)

    def publish(self) -> None:
        assert self.post("", act="about", office="学前科", office_phone="021-1").status_code == 302
        checked = self.client.post(self.at, {"act": "check"}, follow=True).content.decode()
        assert "可以批准了" in checked, checked[checked.find("检查结果") :][:1500]
        alone = self.post("", act="approve", accept="1")
        assert alone.status_code == 409
        assert "请另一位有批准权限的同事" in alone.content.decode()
        assert self.post("", self.colleague, act="approve", accept="1").status_code == 302
        day = timezone.localdate().isoformat()
        assert self.post("", self.colleague, act="publish", from_day=day).status_code == 302

    def asked(self, address: str) -> dict[str, Any]:
        """Return what parents are answered."""
        body = {"address": address, "entry": self.entry, "year": YEAR, "district": DISTRICT}
        answer = Client().post("/api/v1/match/kindergarten", body, content_type="application/json")
        assert answer.status_code == 200, answer.content.decode()
        return dict(answer.json())

    def names(self, address: str) -> list[str]:
        return [place["name"] for place in self.asked(address)["places"]]


def doors(ground: Ground) -> list[Address]:
    """Return the addresses of a district by road that have a number and no lane, with odd and even ones on the first road."""
    rows = (
        Address.objects.filter(CURRENT, lane="", region__in=list(ground.committees)).exclude(road="").exclude(number="")
    )
    by_road: dict[str, list[Address]] = {}
    for row in rows.filter(suffix="").order_by("road", "id"):
        if row.number.isdigit():
            by_road.setdefault(row.road, []).append(row)
    return next(some for some in by_road.values() if len({int(one.number) % 2 for one in some}) == 2)


@pytest.mark.covers("PRE-ENR-04a", via="services.catchments.editing:set_steps")
def test_each_entry_has_its_own_modes_and_a_committee_goes_to_its_kindergarten(city: None) -> None:
    local, apart = Desk("local"), Desk("apart")
    here = local.ground
    site, other = here.open_sites()[:2]
    address = doors(here)[0]
    committee = address.region_id or 0
    street = here.committees[committee][1]
    # all editions of the district in one list, each with the modes that its entry's policy asks for
    listed = local.client.get("/plan").content.decode()
    assert listed.count(f"/plan/editions/{local.edition.pk}") == listed.count(f"/plan/editions/{apart.edition.pk}") == 1
    assert local.post("", act="steps", step=["committee"], move="").status_code == 302
    assert apart.post("", act="steps", step=["committee", "nearest"], move="up:nearest").status_code == 302
    assert local.add("committee", street=street, committee=committee, target=site.id).status_code == 302
    assert apart.add("committee", street=street, committee=committee, target=other.id).status_code == 302
    for desk, steps in ((local, ["committee"]), (apart, ["nearest", "committee"])):
        assert CatchmentEdition.objects.get(pk=desk.edition.pk).steps == steps
    apart.post("", act="steps", step=["committee"], move="")
    local.publish()
    apart.publish()
    answer = local.asked(address.text)
    assert (answer["outcome"], answer["reason"]) == ("one", "committee")
    assert local.names(address.text) == [site.name]
    assert apart.names(address.text) == [other.name]
    elsewhere = next(
        one for one in Address.objects.filter(CURRENT, region__in=list(here.committees)).exclude(region=committee)
    )
    assert local.asked(elsewhere.text)["outcome"] in ("none", "unclear")
    # whoever looks after another district neither sees nor changes them
    away = Region.objects.get(versions__code="310110", versions__edition__state="published")
    stranger = signed_in("stranger", "district_manager", region=away)
    assert stranger.get(local.at).status_code == 404
    assert stranger.post(local.at, {"act": "steps", "step": ["open"], "seen": 1}).status_code == 404


@pytest.mark.covers("PRE-ENR-04b", via="services.catchments.writing:read_rule")
def test_a_door_goes_by_its_address_and_its_side_of_the_road(city: None) -> None:
    desk = Desk("local")
    here = desk.ground
    odd, even = here.open_sites()[:2]
    found = doors(here)
    road = found[0].road
    top = max(int(one.number) for one in found) + 1
    backwards = desk.add("address", written=f"{road}{top}-1号（单号）", target=odd.id)
    assert backwards.status_code == 400
    assert "前大后小" in backwards.content.decode()
    desk.add("address", written=f"{road}1-{top}号（单号）", target=odd.id)
    desk.add("address", written=f"{road}2号以上（双号）", target=even.id)
    desk.publish()
    for one in found[:6]:
        answer = desk.asked(one.text)
        assert (answer["outcome"], answer["reason"]) == ("one", "address")
        assert answer["places"][0]["name"] == (odd if int(one.number) % 2 else even).name


@pytest.mark.covers("PRE-ENR-04d", via="services.catchments.book:Book._by_list")
def test_an_open_list_lets_parents_choose(city: None) -> None:
    desk = Desk("local")
    sites = desk.ground.open_sites()[:3]
    for site in sites:
        assert desk.add("open", target=site.id).status_code == 302
    desk.publish()
    address = doors(desk.ground)[0].text
    answer = desk.asked(address)
    assert (answer["outcome"], answer["reason"]) == ("several", "open")
    assert sorted(place["name"] for place in answer["places"]) == sorted(site.name for site in sites)
    page = Client().post("/enrol", {"entry": "local", "year": YEAR, "address": address}).content.decode()
    for site in sites:
        assert site.name in page


@pytest.mark.covers("PRE-ENR-04e", via="services.catchments.importing.judging:judge")
def test_the_entry_of_other_provinces_keeps_to_its_choices_and_rules_are_imported_edited_deleted(
    city: None, tmp_path: Path
) -> None:
    desk = Desk("elsewhere")
    here = desk.ground
    site, other = here.open_sites()[:2]
    committee, (_, street) = sorted(here.committees.items())[0]
    for mode in ("committee", "community", "address"):
        refused = desk.add(
            mode, street=street, committee=committee, community="梧桐苑", written="武夷路1号", target=site.id
        )
        assert refused.status_code == 400
        assert "入口只能用开放列表" in refused.content.decode()
    assert desk.post("", act="steps", step=["open", "committee"]).status_code == 400
    form = desk.client.get(f"{desk.at}/rules?add=open").content.decode()
    assert '<option value="public">公办园</option><option value="private">民办园</option>' in form

    # a batch from a workbook, with one row that the entry does not allow
    book = write_book(
        tmp_path / "外省市.xlsx",
        ("可选", [["匹配方式", "居委", "可选园所"], ["", "", "公办园"], ["开放列表", "", "民办园、" + site.name],
                  ["街道、居委", here.committees[committee][0], site.name]], []),
    )  # fmt: skip
    sent = SimpleUploadedFile("外省市.xlsx", book.read_bytes())
    assert desk.client.post(f"{desk.at}/import", {"file": sent}).status_code == 302
    at = f"/plan/imports/{RuleImport.objects.get(edition=desk.edition).pk}"
    assert "入口只能用开放列表" in desk.client.get(at).content.decode()
    seen = CatchmentEdition.objects.get(pk=desk.edition.pk).revision
    writing = {"act": "write", "how": "add", "seen": seen, "key": str(uuid.uuid4())}
    assert desk.client.post(at, writing).status_code == 409
    assert desk.edition.rules.count() == 0
    desk.client.post(at, {"act": "leave"})
    for _ in range(2):  # a double click writes once
        assert desk.client.post(at, writing).status_code == 302
    assert [(rule.choice, rule.target_id) for rule in desk.edition.rules.order_by("line")] == [
        ("public", None), ("private", None), ("", site.id),
    ]  # fmt: skip

    # one edited, one deleted
    rule = desk.edition.rules.get(target=site.id)
    assert desk.add("open", same=str(rule.same), target=other.id).status_code == 302
    assert desk.edition.rules.get(same=rule.same).target_id == other.id
    private = desk.edition.rules.get(choice="private")
    assert desk.post("/rules/delete", same=str(private.same)).status_code == 302
    assert not desk.edition.rules.filter(choice="private").exists()
    exported = desk.client.get(f"{desk.at}/rules.xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(exported.streaming_content))).get_sheet_by_index(0)
    assert [row[4] for row in sheet.to_python()[1:]] == ["公办园", other.name]
    desk.publish()
    answer = desk.asked(doors(here)[0].text)
    assert (answer["outcome"], answer["reason"]) == ("several", "open")
    assert [choice["key"] for choice in answer["choices"]] == ["public"]
    assert [place["name"] for place in answer["places"]] == [other.name]
