"""Addresses of the invented city asked of editions: held against a plain reading of every row, and each answer explained."""

from __future__ import annotations

import datetime as dt
import gc
import random

import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon

from geo.addresses.gazetteer import NamedRegion, Names
from geo.addresses.models import Address
from geo.errors import BadInput, Forbidden, NotFound
from geo.regions.models import Edition, EditionState, Region, RegionSuccession, RegionVersion
from geo.scope import Scope
from services.catchments.answering import REASONS, Asked, answer, decide_many
from services.catchments.homes import RegionNames
from services.catchments.models import CatchmentEdition
from services.facilities.models import Facility, FacilityStatus
from services.facilities.upkeep.models import MergedFacility
from tests.services.catchments.districts import (
    HUANGPU,
    STAFF,
    YEAR,
    area,
    edition,
    kindergartens,
    names,
    region,
    rule,
    street_of,
)

PUBLIC = Scope.public()
Plain = dict[str, object]


def ask(address: str, **told: object):  # type: ignore[no-untyped-def]
    """Ask the edition in force."""
    return answer(address, **({"entry": "local", "year": YEAR, "scope": PUBLIC} | told))  # type: ignore[arg-type]


def doors_of_huangpu() -> list[Address]:
    """Return the doors on record in the district whose road they name, each address once."""
    rows = Address.objects.filter(retired_at=None, sub_lane="", suffix="").exclude(road="").exclude(number="")
    path = region(HUANGPU).path
    rows = rows.select_related("community").order_by("id")
    return [
        row for row in rows if names().regions[row.region_id or 0].path.startswith(path) and row.road.endswith("路")
    ]


@pytest.fixture
def bare(city: None) -> None:
    """Take away the editions that the invented city brings."""
    CatchmentEdition.objects.update(begun_from=None)
    CatchmentEdition.objects.all().delete()


@pytest.fixture
def ruled(bare: None) -> tuple[CatchmentEdition, list[Plain]]:
    """Give the district rules of every kind, also as plain facts for a reading row by row."""
    own, sites = edition(steps=["override", "address", "community", "committee", "area"]), kindergartens()
    doors = doors_of_huangpu()
    roads = sorted({row.road for row in doors})[:6]
    plain: list[Plain] = []
    for at, road in enumerate(roads[:4]):
        odd, even = sites[at % 3], sites[(at + 1) % 3]
        rule(own, "address", odd, written=f"{road}（单号）")
        rule(own, "address", even, written=f"{road}2-40（双号）")
        plain += [
            {"mode": "address", "road": road, "parity": 1, "to": 10**6, "site": odd.pk},
            {"mode": "address", "road": road, "parity": 0, "to": 40, "site": even.pk},
        ]
    called = sorted({row.community.name for row in doors if row.community and row.road not in roads[:4]})[:5]
    for name in called:
        rule(own, "community", sites[3], community=name)
        plain.append({"mode": "community", "community": name, "site": sites[3].pk})
    committees = sorted({row.region_id for row in doors if row.region_id})
    for committee in committees[: len(committees) // 2]:
        street = street_of(committee)
        assert street
        rule(own, "committee", sites[0], street_id=street.id, committee_id=committee)
        plain.append({"mode": "committee", "committee": committee, "site": sites[0].pk})
    xs, ys = [row.geom.x for row in doors], [row.geom.y for row in doors]
    box = shapely.box(min(xs), min(ys), sum(xs) / len(xs), max(ys) + 0.001)
    area(own, "西片", sites[1], box)
    plain.append({"mode": "area", "box": box, "site": sites[1].pk})
    return own, plain


def read_plainly(plain: list[Plain], row: Address) -> set[object]:
    """Return the kindergartens of a door by looking at every fact."""
    counted = int(row.lane or row.number)
    for mode in ("address", "community", "committee", "area"):
        found = set()
        for fact in (fact for fact in plain if fact["mode"] == mode):
            if mode == "address":
                held = fact["road"] == row.road and counted % 2 == fact["parity"] and counted <= fact["to"]
            elif mode == "community":
                held = row.community is not None and row.community.name == fact["community"]
            elif mode == "committee":
                held = row.region_id == fact["committee"]
            else:
                held = fact["box"].covers(shapely.Point(row.geom.x, row.geom.y))  # type: ignore[attr-defined]
            if held:
                found.add(fact["site"])
        if found:
            return found
    return set()


def test_every_door_of_a_district_is_answered_as_a_plain_reading_of_all_rows_does(
    ruled: tuple[CatchmentEdition, list[Plain]],
) -> None:
    own, plain = ruled
    doors = [row for row in doors_of_huangpu() if (row.lane or row.number).isdecimal() and row.number.isdecimal()]
    counted: dict[str, int] = {}
    for row in doors:
        counted[row.normal] = counted.get(row.normal, 0) + 1
    doors = [row for row in doors if counted[row.normal] == 1]
    asked = [Asked(row.text) for row in doors]
    assert len(asked) > 800
    thorough = decide_many(asked, entry="local", year=YEAR, scope=PUBLIC, thorough=True)
    quick = decide_many(asked, entry="local", year=YEAR, scope=PUBLIC)
    outcomes = set()
    for row, slow, fast in zip(doors, thorough, quick, strict=True):
        expected = read_plainly(plain, row)
        assert set(slow.sites) == expected, (row.text, slow.said)
        assert (slow.outcome, slow.reason, slow.sites) == (fast.outcome, fast.reason, fast.sites), row.text
        assert slow.edition == own
        assert slow.said
        outcomes.add((slow.outcome, slow.reason))
    assert {
        ("one", "address"),
        ("one", "community"),
        ("one", "committee"),
        ("one", "area"),
        ("none", "no_rule"),
    } <= outcomes


def test_an_answer_names_rule_tokens_edition_and_whom_to_ask(ruled: tuple[CatchmentEdition, list[Plain]]) -> None:
    own, plain = ruled
    row = next(
        row for row in doors_of_huangpu() if row.lane and read_plainly([one for one in plain if one.get("parity")], row)
    )
    found = ask(f"{row.text}201室")
    assert (found.outcome, found.reason, found.edition) == ("one", "address", own)
    assert [token.kind for token in found.tokens] == ["city", "district", "road", "lane", "number", "room"]
    assert [one.written for one in found.rules] == [f"{row.road}（单号）"]
    assert {found.places[0].pk} == read_plainly(plain, row)
    assert any(row.road in said for said in found.said)
    assert (found.ask.office, found.ask.phone) == ("区教育局学前科", "021-55500001")
    assert (found.street, found.committee) == (street_of(row.region_id), names().region(row.region_id))
    assert found.lon == pytest.approx(row.geom.x)
    assert found.uncertainty_m == row.uncertainty_m
    assert found.match is not None
    assert [taken.mode for taken in found.match.path] == ["override", "address"]


@pytest.mark.parametrize(
    ("address", "outcome", "reason"),
    [
        ("！！？", "unknown", "unread"),
        ("北京市海淀区中关村大街1号", "unknown", "other_city"),
        ("黄浦区没有这条路12号", "unknown", "not_found"),
        ("杨浦区控江路233弄", "none", "no_edition"),
        ("路" * 201, "unknown", "too_long"),
    ],
)
def test_what_is_not_known_is_said_with_its_reason(
    ruled: tuple[CatchmentEdition, list[Plain]], address: str, outcome: str, reason: str
) -> None:
    found = ask(address)
    assert (found.outcome, found.reason, found.places) == (outcome, reason, [])
    assert reason in REASONS
    assert found.said
    assert found.ask.office


def test_a_door_that_is_not_said_is_unclear_and_its_possible_kindergartens_are_told(
    ruled: tuple[CatchmentEdition, list[Plain]],
) -> None:
    _, plain = ruled
    found = ask(f"黄浦区{plain[0]['road']}")
    assert (found.outcome, found.reason) == ("unclear", "door_unsaid")
    assert {place.pk for place in found.possible} >= {plain[0]["site"], plain[1]["site"]}
    assert any("门牌号写全" in said for said in found.said)


def test_what_is_given_counts_before_what_is_looked_up(ruled: tuple[CatchmentEdition, list[Plain]]) -> None:
    own, plain = ruled
    committee = names().regions[next(fact["committee"] for fact in plain if fact["mode"] == "committee")]  # type: ignore[index]
    street = street_of(committee.id)
    assert street
    given = Asked("月亮新村9号", "黄浦", street.name.removesuffix("街道"), committee.name, "月亮新村")
    found = decide_many([given], entry="local", year=YEAR, scope=PUBLIC)[0]
    assert (found.outcome, found.reason, found.edition) == ("one", "committee", own)
    wrong = decide_many([Asked("月亮新村9号", "黄浦区", "没有街道")], entry="local", year=YEAR, scope=PUBLIC)[0]
    assert (wrong.outcome, wrong.reason) == ("unknown", "street_unknown")
    assert any("没有街道" in said for said in wrong.said)


def test_everything_wrong_with_what_was_given_is_told_and_the_first_of_it_is_the_reason(
    ruled: tuple[CatchmentEdition, list[Plain]],
) -> None:
    given = Asked("杨浦区控江路233弄", "黄浦区", "没有街道", "没有居委")
    found = decide_many([given], entry="local", year=YEAR, scope=PUBLIC)[0]
    assert found.reason == "other_district"
    assert ["不在黄浦区" in found.said[0], "没有街道" in found.said[1], "没有居委" in found.said[2]] == [True] * 3
    nowhere = decide_many([Asked("！！", "没有区", "没有街道")], entry="local", year=YEAR, scope=PUBLIC)[0]
    assert (nowhere.reason, nowhere.where.street) == ("unread", None)
    assert "没有区" in nowhere.said[1]


def test_a_committee_is_that_of_its_street_however_often_its_name_is_asked() -> None:
    def committee(at: int, street: str) -> NamedRegion:
        return NamedRegion(at, f"31010{at}", "committee", "文庙居委会", f"{street}31010{at}.", "文庙居委会")

    one, two = (NamedRegion(at, str(at), "street", f"{at}街道", f"{at}.", "") for at in (1, 2))
    both = [one, two, committee(3, one.path), committee(4, two.path)]
    words = RegionNames(Names({each.id: each for each in both}, {each.code: each for each in both}))
    for _ in range(2):
        assert words.named("committee", "文庙居委会") is None
        assert words.named("committee", "文庙", one) == both[2]
        assert words.named("committee", "文庙", two) == both[3]
        assert words.named("street", "文庙", two) is None


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(ruled: tuple[CatchmentEdition, list[Plain]], collecting: bool) -> None:
    (gc.enable if collecting else gc.disable)()
    try:
        ask("黄浦区没有这条路12号")
        assert gc.isenabled() is collecting
        with pytest.raises(TypeError):
            decide_many([Asked(None)], entry="local", year=YEAR, scope=PUBLIC)  # type: ignore[arg-type]
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


def test_an_address_of_another_district_is_told_and_never_answered_by_this_one(
    ruled: tuple[CatchmentEdition, list[Plain]],
) -> None:
    own, _ = ruled
    found = ask("杨浦区控江路233弄", edition=own)
    assert (found.outcome, found.reason, found.places) == ("none", "other_district", [])
    assert "杨浦区" in found.said[0]


def test_closed_and_merged_kindergartens_are_told(ruled: tuple[CatchmentEdition, list[Plain]]) -> None:
    own, plain = ruled
    row = next(row for row in doors_of_huangpu() if read_plainly(plain[:1], row))
    target = Facility.objects.get(pk=plain[0]["site"])
    other = next(site for site in kindergartens() if site.pk != target.pk)
    Facility.objects.filter(pk=target.pk).update(status=FacilityStatus.CLOSED)
    CatchmentEdition.objects.filter(pk=own.pk).update(revision=2)
    closed = ask(row.text)
    assert (closed.outcome, closed.reason, closed.places) == ("none", "place_closed", [])
    assert any("已经关闭" in said for said in closed.said)
    MergedFacility.objects.create(facility=target, into=other)
    CatchmentEdition.objects.filter(pk=own.pk).update(revision=3)
    merged = ask(row.text)
    assert (merged.outcome, [place.pk for place in merged.places]) == ("one", [other.pk])
    assert any(f"已经并入“{other.name}”" in said for said in merged.said)


def test_a_draft_is_asked_by_those_who_look_after_it_and_nobody_else(bare: None) -> None:
    draft = edition(published=False, office="", steps=["address", "committee"])
    assert ask("黄浦区延安东路558号", edition=draft, scope=STAFF).reason == "no_rule"
    with pytest.raises(Forbidden):
        ask("黄浦区延安东路558号", edition=draft)
    elsewhere = Scope(paths=("310000.310110.",), duties=STAFF.duties, actor="other")
    with pytest.raises(NotFound):
        ask("黄浦区延安东路558号", edition=draft, scope=elsewhere)
    assert ask("黄浦区延安东路558号").reason == "no_edition"
    assert ask("黄浦区延安东路558号").ask.office == "黄浦区教育局招生部门"


def test_old_years_stay_answerable_and_the_version_begun_last_counts(bare: None) -> None:
    sites = kindergartens()
    for year, number, day, site in (
        (2025, 1, dt.date(2025, 3, 1), 0),
        (2025, 2, dt.date(2025, 5, 1), 1),
        (2026, 1, dt.date(2026, 3, 1), 2),
    ):
        own = edition(year=year, number=number, from_day=day)
        rule(own, "address", sites[site], written="延安东路全路")
    found = [
        ask("黄浦区延安东路558号", year=year, on=on).places[0]
        for year, on in ((2025, None), (2025, dt.date(2025, 4, 1)), (2026, None))
    ]
    assert found == [sites[1], sites[0], sites[2]]


def test_bad_questions_are_refused(bare: None) -> None:
    with pytest.raises(BadInput):
        ask("黄浦区延安东路558号", entry="nowhere")
    with pytest.raises(BadInput):
        ask("  ")


def _once(name: str, code: str, into: list[tuple[int, float]], parent: int | None = None) -> Region:
    """Keep a region that an older edition of the boundaries knew, and what became of it."""
    now = Edition.objects.get(state=EditionState.PUBLISHED)
    before, _ = Edition.objects.get_or_create(name="从前", source=now.source, state=EditionState.SUPERSEDED)
    old = Region.objects.create(level="street" if parent is None else "committee")
    square = Polygon.from_bbox((121.4, 31.2, 121.5, 31.3))
    RegionVersion.objects.create(
        region=old, edition=before, level=old.level, code=code, name=name, path=f"310000.310101.{code}.", parent_id=parent,
        geom=MultiPolygon(square, srid=4490), label=square.centroid, area_m2=1.0,
    )  # fmt: skip
    for successor, share in into:
        RegionSuccession.objects.create(
            origin=old, successor_id=successor, kind="merge", on=dt.date(2026, 1, 1), share=share, edition=now
        )
    return old


def test_a_rule_of_a_street_that_was_renamed_or_merged_still_matches_where_that_is_unambiguous(bare: None) -> None:
    rows = [row for row in doors_of_huangpu() if row.region_id]
    random.Random(3).shuffle(rows)
    first = rows[0]
    street = street_of(first.region_id)
    other = next(row for row in rows if street_of(row.region_id) != street)
    assert street
    assert first.region_id
    site = kindergartens()[0]
    renamed = _once("旧名街道", "310101901", [(street.id, 1.0)])
    own = edition(steps=["committee"])
    kept = rule(own, "committee", site, street=renamed)
    found = ask(first.text)
    assert (found.outcome, found.rules, found.places) == ("one", [kept], [site])
    assert any("旧名街道" in said and street.name in said for said in found.said)
    assert ask(other.text).reason == "no_rule"
    # two old streets in one of today: only their committees tell them apart
    merged = _once("并入街道", "310101902", [(street.id, 1.0)])
    CatchmentEdition.objects.filter(pk=own.pk).update(revision=2)
    gone = ask(first.text)
    assert (gone.outcome, gone.reason) == ("none", "no_rule")
    assert any("分不清" in said for said in gone.said)
    _once("旧居委", "310101902001", [(first.region_id, 1.0)], parent=merged.pk)
    kept.street = merged
    kept.save()
    CatchmentEdition.objects.filter(pk=own.pk).update(revision=3)
    assert ask(first.text).outcome == "one"
    beside = next(row for row in rows if street_of(row.region_id) == street and row.region_id != first.region_id)
    assert ask(beside.text).reason == "no_rule"
