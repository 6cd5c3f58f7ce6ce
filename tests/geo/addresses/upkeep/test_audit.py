"""The check of a whole city as a job: known faults are put into the tiny city and found, each where it is and as large as it is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry, Point

from geo.addresses import jobs
from geo.addresses.models import Address, AddressAudit, AuditFinding, Community, FindingKind
from geo.addresses.upkeep.audit.queries import findings_in, newest_audit
from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Forbidden
from geo.geometry import area_m2, geodesic_distance_m
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from tests.geo.addresses.upkeep.worlds import clerk

pytestmark = pytest.mark.usefixtures("city")
CITY = clerk("310000.", "shi")


def audit(path: str = "310000.") -> AddressAudit:
    job = run_job(job_id=Job.objects.create(kind=jobs.AUDIT, params={"path": path}, actor="shi").pk)
    assert job.state == JobState.DONE, job.error
    return AddressAudit.objects.get(pk=job.result["audit"])


def told(found: AddressAudit, kind: str) -> list[AuditFinding]:
    return list(found.findings.filter(kind=kind).order_by("-measure"))


def shape_of(geom: Any) -> Any:
    return shapely.from_wkb(bytes(geom.wkb))


def stored(shape: Any) -> GEOSGeometry:
    multi = shape if shape.geom_type == "MultiPolygon" else shapely.multipolygons([shape])
    return GEOSGeometry(multi.wkb_hex, srid=CGCS2000)


def plant(along: dict[int, float]) -> dict[int, int]:
    """Write doors of a road that no map has, by number, so many metres east of an address of the city; return their ids."""
    start = Address.objects.filter(retired_at=None, region__isnull=False).order_by("pk").first()
    assert start
    made = {}
    for number, metres in along.items():
        place = {"geom": Point(start.geom.x + metres / 95_200, start.geom.y, srid=CGCS2000), "cell": start.cell}
        said = {"road": "核查路", "number": str(number), "text": f"核查路{number}号", "normal": f"核查路{number}号"}
        row = Address.objects.create(
            source=start.source, ext_id=f"plant-{number}", region=start.region, uncertainty_m=5, **place, **said
        )
        made[number] = row.pk
    return made


class TestKnownFaults:
    def test_a_committee_that_shrank_leaves_a_gap_and_one_that_took_it_overlaps(self) -> None:
        before = audit()
        taker, shrunk = RegionVersion.objects.filter(level="committee").order_by("code")[:2]
        whole = shape_of(shrunk.geom)
        west, south, east, north = whole.bounds
        lost = shapely.intersection(whole, shapely.box(west, south, (west + east) / 2, north))
        RegionVersion.objects.filter(pk=shrunk.pk).update(geom=stored(shapely.difference(whole, lost)))
        after = audit()
        gaps = told(after, FindingKind.COMMITTEE_GAP)
        assert len(told(before, FindingKind.COMMITTEE_GAP)) < len(gaps)
        assert sum(gap.measure for gap in gaps) - sum(
            gap.measure for gap in told(before, FindingKind.COMMITTEE_GAP)
        ) == pytest.approx(area_m2(lost, current_city()), rel=0.001)
        biggest = gaps[0]
        assert shapely.contains_xy(lost, biggest.geom.x, biggest.geom.y)
        RegionVersion.objects.filter(pk=shrunk.pk).update(geom=stored(whole))
        RegionVersion.objects.filter(pk=taker.pk).update(geom=stored(shapely.union(shape_of(taker.geom), lost)))
        taken = told(audit(), FindingKind.COMMITTEE_OVERLAP)
        assert sum(each.measure for each in taken) == pytest.approx(area_m2(lost, current_city()), rel=0.001)
        assert {area["key"] for area in taken[0].subjects["areas"]} == {taker.code, shrunk.code}

    def test_an_address_far_from_its_community_is_told_with_its_metres(self) -> None:
        address = next(
            each
            for each in Address.objects.filter(retired_at=None, community__boundary__isnull=False).order_by("pk")
            if each.community and each.community.boundary.covers(each.geom)
        )
        assert address.community
        west, south, _, _ = address.community.boundary.extent
        Address.objects.filter(pk=address.pk).update(geom=Point(west - 0.003, south, srid=CGCS2000))
        found = audit()
        (one,) = [
            each for each in told(found, FindingKind.OUTSIDE_COMMUNITY) if each.subjects["addresses"] == [address.pk]
        ]
        boundary = shape_of(address.community.boundary)
        ring = shapely.get_coordinates(shapely.segmentize(boundary, 0.00001))
        away = min(geodesic_distance_m(west - 0.003, south, *point) for point in ring[:: max(1, len(ring) // 4000)])
        assert one.measure == pytest.approx(away, rel=0.01, abs=1)
        # its region was not written anew: that is the other finding
        assert [address.pk] in [each.subjects["addresses"] for each in told(found, FindingKind.OUTSIDE_REGION)] or (
            address.region_id is not None
        )

    def test_an_address_filed_elsewhere_is_told(self) -> None:
        address = Address.objects.filter(retired_at=None).order_by("pk").first()
        assert address
        other = (
            RegionVersion.objects.filter(level="committee").exclude(region=address.region_id).order_by("-code").first()
        )
        assert other
        assert not told(audit(), FindingKind.OUTSIDE_REGION)
        Address.objects.filter(pk=address.pk).update(region=other.region_id)
        (one,) = told(audit(), FindingKind.OUTSIDE_REGION)
        assert one.subjects["addresses"] == [address.pk]
        assert one.measure > 0

    def test_communities_that_overlap_or_reach_beyond_are_told(self) -> None:
        one, other = Community.objects.filter(retired_at=None, boundary__isnull=False).order_by("pk")[:2]
        before = {each.message for each in told(audit(), FindingKind.COMMUNITY_OVERLAP)}
        shape = shape_of(one.boundary)
        Community.objects.filter(pk=other.pk).update(boundary=stored(shape))
        found = audit()
        (overlap,) = [each for each in told(found, FindingKind.COMMUNITY_OVERLAP) if each.message not in before]
        assert {area["key"] for area in overlap.subjects["areas"]} == {str(one.pk), str(other.pk)}
        assert overlap.measure == pytest.approx(area_m2(shape, current_city()), rel=0.001)

    def test_numbers_left_out_and_a_door_out_of_order_are_told(self) -> None:
        known = [n for n in range(1, 40, 2) if n not in (19, 21)]
        made = plant({n: 40.0 * n for n in known} | {31: 40.0 * 5})
        found = audit()
        (gap,) = told(found, FindingKind.NUMBER_GAP)
        assert gap.message == "核查路缺 19–21 号（单号）共 2 个，在 17 号与 23 号之间。"
        assert gap.subjects["addresses"] == [made[17], made[23]]
        (order,) = told(found, FindingKind.NUMBER_ORDER)
        # 31号 stands where 5号 is; in order it would be between 29 and 33
        assert order.measure == pytest.approx(40 * (29 - 5), rel=0.01)
        assert "核查路31 号不在应有的次序上" in order.message
        assert order.subjects["addresses"][0] == made[31]


class TestTheJob:
    def test_it_says_what_it_looked_at_and_with_what_tolerance(self) -> None:
        found = audit()
        assert found.looked_at["addresses"] == Address.objects.filter(retired_at=None).count()
        assert found.looked_at["communities"] == Community.objects.filter(boundary__isnull=False).count()
        assert found.tolerances["area_m2"] == 100.0
        assert found.ended_at is not None
        assert sum(found.counts.values()) == found.findings.count()

    def test_a_part_is_what_the_whole_says_of_it(self) -> None:
        whole, path = audit(), "310000.310101."
        part = audit(path)
        ours = RegionVersion.objects.filter(path__startswith=path).values("region_id")
        for kind in (
            FindingKind.COMMITTEE_GAP,
            FindingKind.OUTSIDE_COMMUNITY,
            FindingKind.NUMBER_GAP,
            FindingKind.NUMBER_ORDER,
        ):
            said = Counter(whole.findings.filter(kind=kind, region__in=ours).values_list("message", flat=True))
            assert Counter(part.findings.filter(kind=kind).values_list("message", flat=True)) == said

    def test_it_goes_on_after_a_crash_and_finds_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = audit()
        job = Job.objects.create(kind=jobs.AUDIT, params={"path": "310000."}, actor="shi")

        def dies(*args: Any) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setitem(jobs.STEPS, "places", dies)
            with pytest.raises(KeyboardInterrupt):
                run_job(job_id=job.pk)
        assert newest_audit(scope=CITY) == whole
        Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
        assert run_job(job_id=job.pk).state == JobState.DONE
        again = newest_audit(scope=CITY)
        assert again
        assert again != whole
        assert (again.counts, again.looked_at) == (whole.counts, whole.looked_at)

    def test_a_clerk_sees_the_own_street_of_a_check_of_the_city(self) -> None:
        plant({n: 40.0 * n for n in (1, 3, 5, 9, 11, 13)})
        audit()
        start = Address.objects.get(ext_id="plant-1")
        path = RegionVersion.objects.get(region=start.region, edition__state="published").path
        street = RegionVersion.objects.get(level="street", code=path.split(".")[2], edition__state="published")
        scope = clerk(street.path)
        whole = newest_audit(scope=scope)
        assert whole
        ours = set(RegionVersion.objects.filter(path__startswith=street.path).values_list("region_id", flat=True))
        seen = set(findings_in(whole, scope=scope).values_list("region_id", flat=True))
        assert seen
        assert seen <= ours
        with pytest.raises(BadInput):
            findings_in(whole, scope=scope, kind="odd")
        with pytest.raises(Forbidden):
            newest_audit(scope=Scope.public())

    def test_asking_twice_is_one_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("geo.jobs.actions.enqueue_job", lambda **asked: None)
        first = jobs.ask_for_audit(scope=clerk("310000.310101.310101002."))
        assert jobs.ask_for_audit(scope=clerk("310000.310101.310101002.")) == first
        assert first.params == {"path": "310000.310101.310101002."}
        both = Scope(
            paths=("310000.310101.310101002.", "310000.310101.310101013."), duties=frozenset({"addresses.edit"})
        )
        assert jobs.ask_for_audit(scope=both).params == {"path": "310000.310101."}
        with pytest.raises(Forbidden):
            jobs.ask_for_audit(scope=Scope(duties=frozenset({"addresses.edit"})))


def test_every_spot_is_in_the_city() -> None:
    plant({n: 40.0 * n for n in (1, 3, 5, 9, 11, 13)})
    box = current_city().bbox
    points = np.array([(each.geom.x, each.geom.y) for each in audit().findings.all()])
    assert len(points)
    assert ((points > (box.west, box.south)) & (points < (box.east, box.north))).all()
