"""Isochrones as fences on the tiny city: the outline families see, words of places, the part inside the district, newer roads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from geo.addresses.land import land_of
from geo.crs import Coordinate, System
from geo.errors import BadInput, Forbidden
from geo.fences.areas import shape_of
from geo.fences.models import Fence, FenceEdition
from geo.geometry import to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from routing.graph import NoGraph
from services.facilities.circle import circle
from services.facilities.ground import current_graph
from services.fencing.actions import FENCES, findings_of, make_anew, make_fence
from services.fencing.queries import flaws_in
from tests.services.fencing.sets import act, district, draft

pytestmark = pytest.mark.usefixtures("city")


def metres(shape: Any) -> Any:
    return to_plane(shape, current_city())


def door(inside_m: float = 0) -> tuple[str, float, float]:
    """Return a door of the district, as it is called and in degrees: the one deepest inside, or so many metres from its border."""
    land = land_of(district())
    assert land.district is not None
    depths = shapely.distance(shapely.points(land.metres), land.district.boundary)
    at = int(abs(depths - inside_m).argmin()) if inside_m else int(depths.argmax())
    return land.labels[at], float(land.degrees[at][0]), float(land.degrees[at][1])


def made(own: FenceEdition, **definition: Any) -> Fence:
    make_fence(act(own), name="圈", kind="isochrone", definition=definition, about={})
    return own.areas.get(name="圈")


@pytest.mark.parametrize(("mode", "minutes"), [("walk", 8), ("pram", 10), ("elder", 12), ("bicycle", 4), ("car", 2)])
def test_it_is_the_outline_that_the_circle_draws(mode: str, minutes: int) -> None:
    _, lon, lat = door()
    fence = made(draft("service"), lon=lon, lat=lat, mode=mode, minutes=minutes)
    asked = circle(
        scope=Scope.public(), origin=Coordinate(lon, lat, System.CGCS2000), minutes=minutes, mode=mode, bands=False
    )
    assert not asked.outline.is_empty
    assert metres(shape_of(fence)).symmetric_difference(metres(asked.outline)).area < 1
    assert fence.kind == "isochrone"
    assert (fence.definition["mode"], fence.definition["minutes"]) == (mode, minutes)
    assert (fence.definition["roads"], fence.definition["place"]) == (current_graph().meta.version, "地图上选的点")


def test_other_minutes_make_it_anew_and_drawn_by_hand_it_is_none_any_more() -> None:
    own = draft("service")
    _, lon, lat = door()
    fence = made(own, lon=lon, lat=lat, mode="walk", minutes=5)
    before = metres(shape_of(fence))
    make_anew(act(own), same=fence.same, kind="isochrone", definition={**fence.definition, "minutes": "9"})
    fence.refresh_from_db()
    assert fence.definition["minutes"] == 9
    assert metres(shape_of(fence)).area > before.area * 1.5
    FENCES.step_back(act(own))
    fence.refresh_from_db()
    assert (fence.definition["minutes"], metres(shape_of(fence)).area) == (5, pytest.approx(before.area))
    FENCES.reshape(act(own), same=fence.same, shape=shapely.box(lon, lat, lon + 0.001, lat + 0.001))
    fence.refresh_from_db()
    assert (fence.kind, fence.definition) == ("polygon", {})


def test_near_the_border_the_part_inside_the_district_can_be_kept_alone() -> None:
    own = draft("service")
    _, lon, lat = door(inside_m=30)
    whole = made(own, lon=lon, lat=lat, mode="walk", minutes=12)
    assert [each.level for each in findings_of(own)] == ["error"]  # it leaves the district
    border = land_of(district()).district
    make_anew(act(own), same=whole.same, kind="isochrone", definition={**whole.definition, "within": True})
    whole.refresh_from_db()
    assert metres(shape_of(whole)).difference(border).area < 1
    assert findings_of(own) == []


def test_words_of_a_place_find_the_spot_and_several_meanings_are_named() -> None:
    own = draft("service")
    label, lon, lat = door()
    fence = made(own, place=label, mode="walk", minutes=6)
    assert (fence.definition["lon"], fence.definition["lat"]) == pytest.approx((lon, lat), abs=1e-3)
    with pytest.raises(BadInput) as caught:
        make_fence(act(own), name="另", kind="isochrone", definition={"place": "路", "minutes": 5}, about={})
    assert caught.value.code in ("place_doubtful", "place_unknown")
    assert own.areas.count() == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"minutes": 5}, "isochrone_nowhere"),
        ({"minutes": 5, "place": "没有这个地方啊"}, "place_unknown"),
        ({"minutes": 0, "lon": 121.48, "lat": 31.22}, "minutes_out_of_range"),
        ({"minutes": 61, "lon": 121.48, "lat": 31.22}, "minutes_out_of_range"),
        ({"minutes": "十", "lon": 121.48, "lat": 31.22}, "isochrone_minutes"),
        ({"minutes": 5, "mode": "plane", "lon": 121.48, "lat": 31.22}, "mode_unknown"),
        ({"minutes": 5, "lon": 116.4, "lat": 39.9}, "fence_place"),
        ({"minutes": 5, "lon": 121.0, "lat": 30.75}, "isochrone_unreached"),
    ],
)
def test_what_cannot_be_reached_is_told(given: dict[str, Any], code: str) -> None:
    own = draft("service")
    with pytest.raises(BadInput) as caught:
        made(own, **given)
    assert caught.value.code == code
    assert not own.areas.exists()


def test_without_roads_it_says_to_come_back(settings: Any, tmp_path: Path) -> None:
    own = draft("service")
    _, lon, lat = door()
    settings.GRAPH_ROOT = tmp_path
    with pytest.raises(NoGraph, match="还没有准备好"):
        made(own, lon=lon, lat=lat, minutes=5)


def test_when_the_roads_are_newer_the_check_offers_to_make_it_anew() -> None:
    own = draft("service")
    _, lon, lat = door()
    fence = made(own, lon=lon, lat=lat, minutes=5)
    assert not [flaw for flaw in flaws_in(own) if flaw.kind == "roads"]
    old = {**fence.definition, "roads": "older", "roads_as_of": "2025-01-01"}
    Fence.objects.filter(pk=fence.pk).update(definition=old)
    (told,) = [flaw for flaw in flaws_in(own) if flaw.kind == "roads"]
    assert (told.level, told.title, told.area) == ("notice", "路网更新后可重画", str(fence.same))
    assert "2025-01-01" in told.said
    assert findings_of(own) == []  # it stops nobody
    make_anew(act(own), same=fence.same, kind="isochrone", definition=old)
    assert not [flaw for flaw in flaws_in(own) if flaw.kind == "roads"]


def test_it_is_made_by_who_may_draw_only() -> None:
    own = draft("service")
    looker = Scope(paths=("310000.",), duties=frozenset({"fences.view"}), actor="kan")
    _, lon, lat = door()
    with pytest.raises(Forbidden):
        make_fence(
            act(own, scope=looker),
            name="圈",
            kind="isochrone",
            definition={"lon": lon, "lat": lat, "minutes": 5},
            about={},
        )
    assert not own.areas.exists()
