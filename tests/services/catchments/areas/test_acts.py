"""Acts on the areas of a draft on a real database: kept and taken back, conflicts, repairs, scope; on the tiny city."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from typing import Any

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput, CityError, Conflict, Forbidden, NotFound
from geo.fences.areas import Act, Arriving, shape_of
from geo.fences.topology import Flaw
from geo.geometry import from_plane, to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from routing.directions import route
from routing.snap import snap
from services.catchments.actions import discard_draft
from services.catchments.areas.actions import CATCHMENT_AREAS as AREAS
from services.catchments.areas.district import District, district_of
from services.catchments.areas.queries import areas_of, flaws_in, impacts, longest_walk_min, table_of, undo_and_redo
from services.catchments.areas.walks import LONGEST_S, PRAM
from services.catchments.checking import findings_of
from services.catchments.models import CatchmentArea, CatchmentEdition
from services.facilities.ground import current_graph
from services.facilities.models import Facility
from tests.services.catchments.districts import HUANGPU, STAFF, edition, kindergartens, region

pytestmark = pytest.mark.usefixtures("city")


def draft(**told: Any) -> CatchmentEdition:
    return edition(published=False, year=2020, **told)


def here() -> District:
    return district_of(region(HUANGPU).id)


def square(east: float, north: float, width: float = 100, height: float = 100) -> BaseGeometry:
    """Return a box in degrees, its corner so many metres from a spot inside the district."""
    ground = here().ground.district
    assert ground is not None
    spot = shapely.point_on_surface(ground)
    x, y = spot.x - 150 + east, spot.y - 150 + north
    return from_plane(shapely.box(x, y, x + width, y + height), current_city())


def line(*spots: tuple[float, float]) -> BaseGeometry:
    ground = here().ground.district
    spot = shapely.point_on_surface(ground)
    return from_plane(shapely.LineString([(spot.x - 150 + x, spot.y - 150 + y) for x, y in spots]), current_city())


def metres(area: CatchmentArea) -> BaseGeometry:
    return to_plane(shape_of(area), current_city())


def act(own: CatchmentEdition, seen: int | None = None, scope: Scope = STAFF, key: uuid.UUID | None = None) -> Act:
    now = CatchmentEdition.objects.get(pk=own.pk).revision if seen is None else seen
    return Act(own.pk, now, key or uuid.uuid4(), scope)


def drawn(own: CatchmentEdition, name: str, shape: BaseGeometry, site: int = 0, scope: Scope = STAFF) -> CatchmentArea:
    AREAS.add(act(own, scope=scope), name=name, about={"target": kindergartens()[site].pk}, shape=shape)
    return own.areas.get(name=name)


def fresh(own: CatchmentEdition) -> CatchmentEdition:
    return CatchmentEdition.objects.get(pk=own.pk)


def flaw_of(own: CatchmentEdition, area: CatchmentArea, kind: str) -> Flaw:
    table = table_of(fresh(own))
    (found,) = [flaw for flaw in table.flaws_of(table.areas[str(area.same)]) if flaw.kind == kind]
    return found


def other(actor: str) -> Scope:
    return Scope(paths=STAFF.paths, duties=STAFF.duties, actor=actor)


def test_an_overlap_is_repaired_in_both_areas_and_taken_back_in_one_step() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0, 104, 78))
    b = drawn(own, "乙片区", square(100, 0, 100, 100))
    flaw = flaw_of(own, a, "overlap")
    assert flaw.title == "与“乙片区”重叠 312 m²"
    assert [each.title for each in flaws_in(fresh(own)) if each.kind == "overlap"] == ["与“甲片区”重叠 312 m²"]
    before = metres(b)
    change = AREAS.repair(act(own), same=a.same, shape=shape_of(a), flaw=flaw.id, kind="halve")
    assert change is not None
    assert change.said == "与“乙片区”重叠 312 m²：沿中线平分"
    a.refresh_from_db()
    b.refresh_from_db()
    assert metres(a).area + metres(b).area == pytest.approx(104 * 78 + 100 * 100 - 312, abs=0.1)
    assert shapely.intersection(metres(a), metres(b)).area < 0.01
    assert not [each for each in flaws_in(fresh(own)) if each.kind == "overlap"]
    with pytest.raises(Conflict, match="不在原处"):
        AREAS.repair(act(own), same=a.same, shape=shape_of(a), flaw=flaw.id, kind="give")
    AREAS.step_back(act(own))
    b.refresh_from_db()
    assert metres(b).equals(before)
    assert flaw_of(own, a, "overlap").area_m2 == pytest.approx(312, abs=0.1)


def test_what_is_drawn_but_not_kept_is_kept_with_its_repair() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0, 90, 78))
    b = drawn(own, "乙片区", square(100, 0, 100, 100))
    wider = square(0, 0, 104, 78)
    table = table_of(fresh(own))
    (flaw,) = [each for each in table.flaws_of(AREAS.drawn_now(fresh(own), a.same, wider)) if each.kind == "overlap"]
    AREAS.repair(act(own), same=a.same, shape=wider, flaw=flaw.id, kind="keep")
    a.refresh_from_db()
    b.refresh_from_db()
    assert metres(a).area == pytest.approx(104 * 78, abs=0.1)
    assert metres(b).area == pytest.approx(100 * 100 - 312, abs=0.1)


def test_two_planners_on_one_draft_are_told_of_each_other_and_nothing_is_lost() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    b = drawn(own, "乙片区", square(200, 0))
    seen = fresh(own).revision
    AREAS.reshape(act(own, seen, other("wang")), same=a.same, shape=square(0, 0, 120))
    AREAS.reshape(act(own, seen), same=b.same, shape=square(200, 0, 120))  # another area: both stand
    with pytest.raises(Conflict) as told:
        AREAS.reshape(act(own, seen), same=a.same, shape=square(0, 0, 80))
    assert "wang 刚才改了片区“甲片区”的边界" in told.value.message
    a.refresh_from_db()
    assert metres(a).area == pytest.approx(12_000, abs=0.1)
    back, again = undo_and_redo(fresh(own), actor="qu")
    assert (back.said if back else "", again) == ("改了片区“乙片区”的边界", None)
    assert undo_and_redo(fresh(own), actor="zhao") == (None, None)


def test_an_act_sent_twice_is_done_once() -> None:
    own = draft()
    key = uuid.uuid4()
    for _ in range(2):
        AREAS.add(act(own, key=key), name="甲片区", about={"target": kindergartens()[0].pk}, shape=square(0, 0))
    assert own.areas.count() == 1
    assert own.changes.count() == 1


def test_undoing_and_doing_again_walk_the_same_way() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    AREAS.say_about(act(own), same=a.same, name="甲一片区", about={"target": a.target_id})
    AREAS.delete(act(own), same=a.same)
    names = [[]]
    for _ in range(3):
        AREAS.step_back(act(own))
        names.append([each.name for each in areas_of(own)])
    assert names == [[], ["甲一片区"], ["甲片区"], []]
    with pytest.raises(Conflict):
        AREAS.step_back(act(own))
    for _ in range(2):
        AREAS.step_again(act(own))
    assert [each.name for each in areas_of(own)] == ["甲一片区"]
    AREAS.step_back(act(own))
    assert [each.name for each in areas_of(own)] == ["甲片区"]
    drawn(own, "乙片区", square(200, 0))
    with pytest.raises(Conflict):
        AREAS.step_again(act(own))  # something new was done: there is nothing to do again
    assert own.areas.get(name="甲片区").same == a.same


def test_areas_are_cut_joined_widened_and_thinned() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    AREAS.split(
        act(own), same=a.same, line=line((30, -20), (30, 120)), name="乙片区", about={"target": kindergartens()[1].pk}
    )
    b = own.areas.get(name="乙片区")
    a.refresh_from_db()
    assert (round(metres(a).area), round(metres(b).area)) == (7000, 3000)
    AREAS.widen(act(own), same=b.same, metres=5)
    b.refresh_from_db()
    assert metres(b).area == pytest.approx(3000 + 5 * 160 + 12.5 * math.pi * 2, abs=1)
    assert shapely.intersection(metres(a), metres(b)).area < 0.01
    AREAS.step_back(act(own))
    AREAS.merge(act(own), same=a.same, other=b.same)
    a.refresh_from_db()
    assert own.areas.count() == 1
    assert metres(a).area == pytest.approx(10_000, abs=0.1)
    wavy = shapely.segmentize(metres(a), 1.0)
    AREAS.reshape(act(own), same=a.same, shape=from_plane(wavy, current_city()))
    AREAS.thin(act(own), same=a.same, metres=1)
    a.refresh_from_db()
    assert shapely.get_num_coordinates(shape_of(a)) < 12
    with pytest.raises(BadInput, match="穿过整个片区"):
        AREAS.split(
            act(own),
            same=a.same,
            line=line((30, -20), (30, 50)),
            name="丙片区",
            about={"target": kindergartens()[1].pk},
        )


def test_what_cannot_be_kept_is_refused_with_what_to_do() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    bow = shapely.Polygon([(121.48, 31.22), (121.49, 31.23), (121.49, 31.22), (121.48, 31.23)])
    site = kindergartens()[0].pk
    elsewhere = Facility.objects.filter(kind="kindergarten").exclude(pk__in=[one.pk for one in kindergartens()])[0].pk
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("geometry_invalid", {"shape": bow}),
        ("area_not_areal", {"shape": shapely.LineString([(121.48, 31.22), (121.49, 31.23)])}),
        ("area_nameless", {"name": " 　"}),
        ("area_name_twice", {"name": "甲片区"}),
        ("area_name_long", {"name": "长" * 81}),
        ("area_targetless", {"about": {"target": 0}}),
        ("area_target_unfit", {"about": {"target": elsewhere}}),
    ]
    for code, told in wrong:
        with pytest.raises(CityError) as fault:
            AREAS.add(act(own), **{"name": "乙片区", "about": {"target": site}, "shape": square(200, 0)} | told)
        assert fault.value.code == code
    dense = shapely.segmentize(metres(a), 0.03)
    with pytest.raises(BadInput, match="顶点"):
        AREAS.reshape(act(own), same=a.same, shape=from_plane(dense, current_city()))
    assert own.areas.count() == 1


def test_a_file_of_areas_changes_adds_and_takes_out_in_one_act() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    drawn(own, "旧片区", square(200, 200))
    site = kindergartens()[0].pk
    arriving = [
        Arriving("甲片区", square(0, 0, 50), {"target": site}),
        Arriving("丙片区", square(100, 0), {"target": site}),
    ]
    AREAS.take_in(act(own), arriving=arriving, replace=True)
    assert [each.name for each in areas_of(own)] == ["丙片区", "甲片区"]
    assert own.areas.get(name="甲片区").same == a.same
    AREAS.step_back(act(own))
    assert sorted(each.name for each in areas_of(own)) == ["旧片区", "甲片区"]


def test_areas_count_doors_and_say_how_long_the_longest_walk_is() -> None:
    own = draft()
    whole = here()
    site = kindergartens()[0]
    spot = to_plane(shapely.Point(site.geom.x, site.geom.y), current_city())
    around = shapely.intersection(whole.ground.district, spot.buffer(600))
    a = drawn(own, "六百米", from_plane(around, current_city()))
    impact = impacts(fresh(own))[str(a.same)]
    inside = [door for door in whole.doors if shapely.intersects_xy(around, *door)]
    assert impact.doors == len(inside) > 0
    assert impact.places == site.places
    graph = current_graph()
    start = snap(graph, spot.x, spot.y, PRAM)
    walks = [route(graph, start, snap(graph, float(x), float(y), PRAM)).seconds for x, y in inside]
    assert longest_walk_min(fresh(own), str(a.same)) == math.ceil(min(LONGEST_S, max(walks)) / 60) > 5
    nowhere = from_plane(spot.buffer(1), current_city())
    narrow = AREAS.drawn_now(fresh(own), a.same, nowhere)
    assert longest_walk_min(fresh(own), str(a.same), narrow) in (None, 1)


def test_only_the_districts_own_planners_draw_and_only_drafts() -> None:
    own = draft()
    a = drawn(own, "甲片区", square(0, 0))
    stranger = Scope(paths=("310000.310104.",), duties=STAFF.duties, actor="xu")
    with pytest.raises(NotFound):
        AREAS.reshape(act(own, scope=stranger), same=a.same, shape=square(0, 0, 50))
    reader = Scope(paths=STAFF.paths, duties=frozenset({"catchments.view"}), actor="jie")
    with pytest.raises(Forbidden):
        AREAS.reshape(act(own, scope=reader), same=a.same, shape=square(0, 0, 50))
    for undoing in (AREAS.step_back, AREAS.step_again):
        with pytest.raises(NotFound):
            undoing(act(own, scope=stranger))
    CatchmentEdition.objects.filter(pk=own.pk).update(state="published", from_day=dt.date(2026, 1, 1))
    with pytest.raises(Conflict, match="已经发布"):
        AREAS.delete(act(own), same=a.same)


def test_a_draft_with_undone_acts_can_be_thrown_away() -> None:
    own = draft()
    drawn(own, "甲片区", square(0, 0))
    AREAS.step_back(act(own))
    discard_draft(edition_id=own.pk, seen=fresh(own).revision, scope=STAFF)
    assert not CatchmentEdition.objects.filter(pk=own.pk).exists()


def test_errors_of_areas_stop_approval_and_what_is_only_a_notice_does_not() -> None:
    own = draft(steps=["area"])
    drawn(own, "甲片区", square(0, 0, 104, 78))
    b = drawn(own, "乙片区", square(100, 0, 100, 100))
    told = {each.code: each for each in findings_of(fresh(own))}
    assert told["area_overlap"].level == "error"
    assert told["area_overlap"].message == "片区“乙片区”：与“甲片区”重叠 312 m²，沿边界 82 米。"
    assert "area_undrawn" not in told
    AREAS.delete(act(own), same=b.same)
    assert not [each for each in findings_of(fresh(own)) if each.code == "area_overlap"]
