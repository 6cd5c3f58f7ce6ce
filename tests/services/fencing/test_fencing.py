"""Fences on a real database: drawn, made, checked, published from a moment, rolled back; scope, conflicts; on the tiny city."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from typing import Any

import pytest
import shapely
from django.utils import timezone

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.fences.areas import shape_of
from geo.fences.models import FenceEdition
from geo.fences.shapes import circle, corridor
from geo.geometry import from_plane, to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.roads.models import RoadSegment
from geo.scope import Scope
from services.access.models import AuditAct, AuditEntry
from services.fencing.actions import (
    FENCES,
    PUBLISHING,
    check_draft,
    discard_draft,
    findings_of,
    make_anew,
    make_fence,
    publish_edition,
    roll_back,
    withdraw_edition,
)
from services.fencing.queries import edition_at, editions_at, editions_seen, flaws_in, table_of
from tests.services.fencing.sets import (
    DUTIES,
    HUANGPU,
    OTHER,
    STAFF,
    act,
    district,
    draft,
    drawn,
    middle,
    published,
    square,
)

pytestmark = pytest.mark.usefixtures("city")


def metres(shape: Any) -> Any:
    return to_plane(shape, current_city())


def centre() -> tuple[float, float]:
    spot = from_plane(shapely.Point(*middle()), current_city())
    return spot.x, spot.y


def test_fences_that_may_not_overlap_are_told_by_how_much_and_mended() -> None:
    own = draft("waste")
    a, b = drawn(own, "甲", square(0, 0)), drawn(own, "乙", square(97, 0))
    assert len([flaw for flaw in flaws_in(own) if flaw.kind == "overlap"]) == 1  # told once, not from both sides
    assert [each.level for each in findings_of(own)][0] == "error"
    laid = table_of(own)
    (overlap,) = [flaw for flaw in laid.flaws_of(laid.areas[str(a.same)]) if flaw.kind == "overlap"]
    assert overlap.title == "与“乙”重叠 300 m²"
    FENCES.repair(act(own), same=a.same, shape=shape_of(a), flaw=overlap.id, kind="give")
    assert not [flaw for flaw in flaws_in(FenceEdition.objects.get(pk=own.pk)) if flaw.kind == "overlap"]
    b.refresh_from_db()
    assert metres(shape_of(b)).area == pytest.approx(10_000, abs=0.5)
    FENCES.step_back(act(own))
    a.refresh_from_db()
    assert metres(shape_of(a)).area == pytest.approx(10_000, abs=0.5)


def test_fences_that_may_overlap_are_not_blamed_for_it_nor_for_gaps() -> None:
    own = draft("alert")
    drawn(own, "甲", square(0, 0))
    drawn(own, "乙", square(50, 0))
    assert findings_of(own) == []
    _, found = check_draft(edition_id=own.pk, scope=STAFF)
    assert not found


def test_a_circle_a_corridor_and_a_street_are_made_and_made_anew() -> None:
    own = draft("checkin")
    lon, lat = centre()
    make_fence(act(own), name="圆", kind="circle", definition={"lon": lon, "lat": lat, "radius_m": 120}, about={})
    round_one = own.areas.get(name="圆")
    spot, shape = shapely.Point(*middle()), metres(shape_of(round_one))
    edge = shapely.distance(spot, shapely.points(shapely.get_coordinates(shape)))
    assert edge == pytest.approx([120] * len(edge), abs=0.05)
    assert shape.area == pytest.approx(math.pi * 120**2, rel=1e-3)

    make_anew(act(own), same=round_one.same, kind="circle", definition={"lon": lon, "lat": lat, "radius_m": 60})
    assert metres(shape_of(own.areas.get(name="圆"))).area == pytest.approx(math.pi * 60**2, rel=2e-3)

    road = RoadSegment.objects.filter(retired_at=None).exclude(name="").values_list("name", flat=True)
    inside = [name for name in sorted(set(road)) if _made(own, name)]
    assert inside
    lane = own.areas.get(name=f"{inside[0]}走廊")
    assert (lane.kind, lane.definition["width_m"]) == ("corridor", 30)

    street = RegionVersion.objects.filter(edition__state="published", level="street", path__contains=HUANGPU).first()
    assert street is not None
    make_fence(act(own), name="街镇", kind="regions", definition={"regions": [street.code]}, about={})
    whole = metres(shapely.from_wkb(bytes(street.geom.wkb)))
    assert metres(shape_of(own.areas.get(name="街镇"))).symmetric_difference(whole).area < 1

    FENCES.reshape(
        act(own), same=round_one.same, shape=square(0, 0)
    )  # moved by hand it is a polygon, no circle any more
    round_one.refresh_from_db()
    assert (round_one.kind, round_one.definition) == ("polygon", {})


def _made(own: FenceEdition, road: str) -> bool:
    if own.areas.filter(kind="corridor").exists():
        return False
    try:
        make_fence(act(own), name=f"{road}走廊", kind="corridor", definition={"road": road, "width_m": 30}, about={})
    except BadInput:
        return False
    return True


def test_a_corridor_is_what_lies_within_half_its_width_of_its_line() -> None:
    x, y = middle()
    line = shapely.LineString([(x, y), (x + 400, y), (x + 400, y + 300)])
    shape = metres(corridor(from_plane(line, current_city()), 40))
    assert shape.area == pytest.approx(700 * 40, rel=0.02)
    for along, aside, inside in ((200, 19.5, True), (200, 20.5, False), (0.5, 0, True)):
        assert shape.covers(shapely.Point(x + along, y - aside)) is inside
    assert not shape.covers(shapely.Point(x - 1, y))  # it ends squarely where the line ends


@pytest.mark.parametrize("radius", [5, 500, 20_000])
def test_a_circle_is_round_to_the_grain_it_promises(radius: float) -> None:
    spot = shapely.Point(*middle())
    shape = metres(circle(*centre(), radius))
    off = shapely.distance(
        spot, shapely.points(shapely.get_coordinates(shapely.segmentize(shape.boundary, radius / 50)))
    )
    assert max(abs(off - radius)) < (0.12 if radius > 5_000 else 0.05)


def test_it_counts_from_its_moment_and_an_earlier_version_is_restored() -> None:
    first = draft("waste")
    drawn(first, "甲", square(0, 0))
    published(first)
    assert edition_at(purpose="waste", district_id=district()) == first

    second = draft("waste")
    assert [area.name for area in second.areas.all()] == ["甲"]  # it begins with what counts
    assert second.areas.get().same == first.areas.get().same
    drawn(second, "乙", square(200, 0))
    later = timezone.now() + dt.timedelta(days=3)
    published(second, later)
    assert edition_at(purpose="waste", district_id=district()) == first
    assert edition_at(purpose="waste", district_id=district(), at=later) == second
    assert [row.pk for row in editions_at(at=later, purpose="waste")] == [second.pk]
    withdraw_edition(edition_id=second.pk, scope=OTHER)
    second.refresh_from_db()
    assert (second.state, second.from_moment) == ("approved", None)
    publish_edition(edition_id=second.pk, seen=second.revision, from_moment=None, scope=OTHER)
    assert edition_at(purpose="waste", district_id=district()) == second

    key = uuid.uuid4()
    restored = roll_back(edition_id=first.pk, key=key, scope=OTHER)
    assert roll_back(edition_id=first.pk, key=key, scope=OTHER) == restored  # sent twice, done once
    assert (restored.number, restored.note) == (3, "恢复到第 1 版")
    assert edition_at(purpose="waste", district_id=district()) == restored
    assert [area.name for area in restored.areas.all()] == ["甲"]
    with pytest.raises(Conflict):
        roll_back(edition_id=restored.pk, key=uuid.uuid4(), scope=OTHER)
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {AuditAct.FENCES_APPROVED, AuditAct.FENCES_PUBLISHED, AuditAct.FENCES_WITHDRAWN} <= acts


def test_nobody_approves_what_they_drew_and_errors_stop_it() -> None:
    own = draft("waste")
    with pytest.raises(Conflict, match="还没有通过检查"):
        published_by_self(own)
    drawn(own, "甲", square(0, 0))
    drawn(own, "乙", square(50, 0))
    _, found = check_draft(edition_id=own.pk, scope=STAFF)
    assert [each.level for each in found][:1] == ["error"]
    own.refresh_from_db()
    assert own.state == "draft"
    FENCES.delete(act(own), same=own.areas.get(name="乙").same)
    check_draft(edition_id=own.pk, scope=STAFF)
    with pytest.raises(Conflict, match="另一位"):
        published_by_self(own)
    discard_draft(edition_id=own.pk, seen=FenceEdition.objects.get(pk=own.pk).revision, scope=STAFF)
    assert not FenceEdition.objects.exists()


def published_by_self(own: FenceEdition) -> None:
    own.refresh_from_db()
    PUBLISHING.approve(edition_id=own.pk, seen=own.revision, accept=True, scope=STAFF)


@pytest.mark.parametrize(
    ("kind", "definition", "code"),
    [
        ("circle", {"lon": 121.48, "lat": 31.22, "radius_m": 0}, "fence_metres"),
        ("circle", {"lon": 121.48, "lat": 31.22, "radius_m": "nan"}, "fence_metres"),
        ("circle", {"lon": 31.22, "lat": 121.48, "radius_m": 50}, "fence_place"),
        ("circle", {"radius_m": 50}, "fence_place"),
        ("corridor", {"road": "没有这条路", "width_m": 20}, "road_unknown"),
        ("corridor", {"line": [[121.48, 31.22]], "width_m": 20}, "fence_line"),
        ("corridor", {"line": "x", "width_m": 20}, "fence_line"),
        ("corridor", {"line": [[121.48, 31.22], [121.49, 31.22]]}, "fence_metres"),
        ("regions", {"regions": ["310110"]}, "region_elsewhere"),
        ("regions", {}, "fence_regions"),
        ("star", {}, "fence_kind_unknown"),
    ],
)
def test_what_cannot_be_made_says_what_to_give(kind: str, definition: dict[str, Any], code: str) -> None:
    own = draft("checkin")
    with pytest.raises(BadInput) as fault:
        make_fence(act(own), name="圆", kind=kind, definition=definition, about={})
    assert fault.value.code == code
    assert not own.areas.exists()


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"from_day": "2026-13-01"}, "fence_day"),
        ({"from_day": "2026-12-02", "to_day": "2026-12-01"}, "fence_days"),
        ({"hours": {"mon": [["8", "9"]]}}, "hours_invalid"),
        ({"owner": "长" * 81}, "fence_owner_long"),
    ],
)
def test_when_a_fence_holds_is_refused_where_it_cannot_be(about: dict[str, Any], code: str) -> None:
    own = draft("checkin")
    with pytest.raises(CityError) as fault:
        FENCES.add(act(own), name="甲", about=about, shape=square(0, 0))
    assert fault.value.code == code
    assert not own.areas.exists()


def test_when_a_fence_holds_is_kept_and_undone() -> None:
    own = draft("checkin")
    a = drawn(own, "甲", square(0, 0), owner="城管中队", from_day="2026-12-01", hours={"mon": [["22:00", "06:00"]]})
    assert (a.owner, a.from_day, a.to_day) == ("城管中队", dt.date(2026, 12, 1), None)
    change = FENCES.say_about(act(own), same=a.same, name="甲", about={"owner": "街道", "from_day": "2026-12-01"})
    assert change is not None
    assert change.said == "围栏“甲”，改了归属，改了生效时间"
    FENCES.step_back(act(own))
    a.refresh_from_db()
    assert (a.owner, a.hours) == ("城管中队", {"mon": [["22:00", "06:00"]]})


def test_two_people_are_told_of_each_other_and_a_form_sent_twice_is_done_once() -> None:
    own = draft("waste")
    a = drawn(own, "甲", square(0, 0))
    seen, key = act(own).seen, uuid.uuid4()
    FENCES.reshape(act(own, key=key, scope=OTHER), same=a.same, shape=square(0, 0, 80))
    FENCES.reshape(act(own, key=key, scope=OTHER), same=a.same, shape=square(0, 0, 80))
    assert own.changes.filter(act="area_shape").count() == 1
    with pytest.raises(Conflict, match="shi 刚才改了围栏“甲”的边界"):
        FENCES.reshape(act(own, seen=seen), same=a.same, shape=square(0, 0, 60))


def test_fences_of_another_district_are_not_there() -> None:
    own = draft("waste")
    drawn(own, "甲", square(0, 0))
    stranger = Scope(paths=("310000.310110.",), duties=DUTIES, actor="yang")
    reader = Scope(paths=("310000.",), duties=frozenset({"fences.view"}), actor="du")
    assert not editions_seen(scope=stranger).exists()
    with pytest.raises(NotFound):
        FENCES.delete(act(own, scope=stranger), same=own.areas.get().same)
    with pytest.raises(Forbidden):
        FENCES.delete(act(own, scope=reader), same=own.areas.get().same)
    with pytest.raises(Forbidden):
        draft("waste", scope=stranger)
    with pytest.raises(Forbidden):
        editions_seen(scope=Scope.public())


def test_a_fence_is_given_a_hole_and_a_part_apart_and_both_are_undone() -> None:
    edition = draft("service")
    one = drawn(edition, "送餐", square(0, 0))
    whole = shape_of(one)
    FENCES.cut_hole(act(edition), same=one.same, part=square(40, 40, 20, 20))
    FENCES.add_part(act(edition), same=one.same, part=square(150, 0, 50, 50))
    one.refresh_from_db()
    shape = metres(shape_of(one))
    assert shape.area == pytest.approx(10_000 - 400 + 2_500, abs=0.1)
    assert [len(part.interiors) for part in shape.geoms] == [1, 0]
    assert [change.said for change in edition.changes.all()[:2]] == ["围栏“送餐”加了一块", "围栏“送餐”挖去了一块"]

    bow = shapely.Polygon([*square(0, 0).exterior.coords[:2], *reversed(square(0, 0).exterior.coords[2:4])])
    for work in (FENCES.add_part, FENCES.cut_hole):
        with pytest.raises(BadInput):
            work(act(edition), same=one.same, part=bow)
    FENCES.step_back(act(edition))
    FENCES.step_back(act(edition))
    one.refresh_from_db()
    assert shape_of(one).equals(whole)
