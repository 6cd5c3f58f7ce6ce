"""Editions: drafts, publishing in one act, the way back, identity, succession, and points that follow."""

import datetime
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.db import IntegrityError, connection, transaction

from geo.addresses.models import Community
from geo.crs import SHANGHAI
from geo.crs.codes import CGCS2000, SHANGHAI_2000
from geo.errors import BadInput, Conflict
from geo.imports.models import Family
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from geo.regions import assignment
from geo.regions import jobs as region_jobs
from geo.regions.actions import (
    PUBLISH_JOB,
    create_edition,
    declare_succession,
    delete_draft,
    load_regions,
    publish_edition,
    start_publishing,
)
from geo.regions.models import (
    Edition,
    EditionState,
    PendingAssignment,
    Region,
    RegionPart,
    RegionSuccession,
    RegionVersion,
)
from geo.regions.planes import FORGET_PLANE, teach_planes
from geo.regions.queries import as_today, edition_on, findings_of, published_edition, regions_at
from geo.regions.records import RegionRecord
from tests.geo.regions.builders import PUBLIC, centre, code, draft, drawn, published, source

pytestmark = pytest.mark.django_db

OLD = """
    AABB
    AABB
"""
NEW = """
    AAAB
    AAAB
"""


def community(x: int, y: int) -> Community:
    """Return a community in a square of the drawings, with no region yet."""
    return Community.objects.create(
        source=source("communities", family=Family.COMMUNITIES),
        ext_id=f"{x}-{y}-{Community.objects.count()}",
        name=f"{x}-{y}小区",
        kind="residential",
        geom=Point(*centre(x, y), srid=CGCS2000),
        cell=0,
    )


def street_of(row: Community) -> str | None:
    row.refresh_from_db()
    version = RegionVersion.objects.filter(edition__state="published", region=row.region_id).first()
    return version.code if version else None


def test_publishing_is_one_act_and_the_old_edition_stays_answerable() -> None:
    old = published(drawn(OLD), "旧版")
    new = published(drawn(NEW), "新版")
    old.refresh_from_db()
    assert (old.state, new.state) == (EditionState.SUPERSEDED, EditionState.PUBLISHED)
    assert regions_at(*centre(2, 0), scope=PUBLIC)[-1].code == code("A")
    assert regions_at(*centre(2, 0), scope=PUBLIC, edition=old)[-1].code == code("B")


def test_going_back_to_an_old_edition_brings_everything_back() -> None:
    moved = community(2, 0)
    old = published(drawn(OLD), "旧版")
    assert street_of(moved) == code("B")
    published(drawn(NEW), "新版")
    assert street_of(moved) == code("A")
    publish_edition(edition=old)
    assert street_of(moved) == code("B")
    assert regions_at(*centre(2, 0), scope=PUBLIC)[-1].code == code("B")


def test_the_database_holds_at_most_one_published_edition() -> None:
    published(drawn(OLD))
    with pytest.raises(IntegrityError), transaction.atomic():
        Edition.objects.create(name="第二", source=source(), state=EditionState.PUBLISHED)


def test_a_region_keeps_its_identity_while_its_name_and_border_change() -> None:
    published(drawn(OLD, {"A": "闸北街道"}))
    then = RegionVersion.objects.get(code=code("A")).region_id
    published(drawn(NEW, {"A": "静安街道"}))
    assert RegionVersion.objects.get(code=code("A"), name="静安街道").region_id == then
    assert Region.objects.count() == 4


def test_a_draft_with_an_error_is_refused_and_leaves_nothing() -> None:
    records = drawn(OLD)
    edition = create_edition(name="坏的", source=source())
    with pytest.raises(BadInput) as refused:
        load_regions(edition=edition, records=[*records, records[-1]])
    assert refused.value.detail["findings"][0]["code"] == "region_code_twice"
    assert not edition.versions.exists()
    with pytest.raises(Conflict):
        publish_edition(edition=edition)


def test_warnings_are_reported_and_do_not_forbid() -> None:
    records = drawn(OLD)
    narrow = [
        r if r.code != code("B") else RegionRecord(r.code, r.level, r.name, r.parent_code, r.polygon.buffer(-0.001))
        for r in records
    ]
    edition = create_edition(name="有缝", source=source())
    loaded = load_regions(edition=edition, records=narrow)
    assert [each.code for each in loaded.findings] == ["region_gap"]
    assert [each.code for each in findings_of(edition)] == ["region_gap"]
    assert publish_edition(edition=edition).state == EditionState.PUBLISHED


def test_a_published_edition_cannot_be_changed_or_deleted() -> None:
    edition = published(drawn(OLD))
    with pytest.raises(Conflict):
        load_regions(edition=edition, records=drawn(NEW))
    with pytest.raises(Conflict):
        delete_draft(edition=edition)
    with pytest.raises(Conflict):
        publish_edition(edition=edition)


def test_deleting_a_draft_leaves_the_published_regions_alone() -> None:
    published(drawn(OLD))
    before = set(Region.objects.values_list("pk", flat=True))
    delete_draft(edition=draft(drawn("AACC\nAACC")))
    assert set(Region.objects.values_list("pk", flat=True)) == before
    assert RegionPart.objects.exclude(version__edition__state="published").count() == 0


def test_areas_are_metres_on_the_citys_plane_as_the_database_says() -> None:
    edition = published(drawn(OLD))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(abs(area_m2 - ST_Area(ST_Transform(geom, %s)))), max(abs(area_m2 / ST_Area(geom::geography) - 1)) "
            "FROM regions_regionversion WHERE edition_id = %s",
            [SHANGHAI_2000, edition.pk],
        )
        plane, geodesic = cursor.fetchone()
    assert plane < 0.5
    assert geodesic < 1e-4


def test_the_citys_plane_is_known_to_the_database() -> None:
    row = SHANGHAI.plane.spatial_reference()
    with connection.cursor() as cursor:
        cursor.execute("SELECT auth_name, srtext, proj4text FROM spatial_ref_sys WHERE srid = %s", [row.srid])
        assert cursor.fetchone() == (row.auth_name, row.srtext, row.proj4text)


def test_the_plane_is_taught_again_when_its_parameters_change_and_can_be_taken_back() -> None:
    from django.core.management import call_command

    def written() -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT proj4text FROM spatial_ref_sys WHERE srid = %s", [SHANGHAI_2000])
            return cursor.fetchone()

    right = written()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE spatial_ref_sys SET proj4text = 'old', srtext = 'old' WHERE srid = %s", [SHANGHAI_2000])
    call_command("migrate", "regions", verbosity=0)
    assert written() == right
    with connection.cursor() as cursor:
        cursor.execute(FORGET_PLANE, [SHANGHAI_2000])
    assert written() is None
    teach_planes(using="default")
    assert written() == right


# Succession


def test_a_merger_leads_every_origin_to_the_new_region() -> None:
    published(drawn("AABB"))
    then = {each.code: each.region_id for each in RegionVersion.objects.filter(level="street")}
    published(drawn("CCCC"))
    now = RegionVersion.objects.get(code=code("C")).region_id
    assert as_today(then.values()) == {then[code("A")]: {now: 1.0}, then[code("B")]: {now: 1.0}}
    assert set(RegionSuccession.objects.values_list("kind", flat=True)) == {"merge"}
    assert Region.objects.get(pk=then[code("A")]).last_day is not None


def test_a_split_shares_the_old_region_by_area() -> None:
    published(drawn("AAAA"))
    then = RegionVersion.objects.get(code=code("A")).region_id
    published(drawn("CDDD"))
    now = {each.region_id: each.code for each in RegionVersion.objects.filter(edition__state="published")}
    shares = {now[region]: share for region, share in as_today([then])[then].items()}
    assert shares == pytest.approx({code("C"): 0.25, code("D"): 0.75}, abs=1e-3)


def test_a_region_that_loses_a_part_keeps_the_rest() -> None:
    published(drawn("AAAA"))
    then = RegionVersion.objects.get(code=code("A")).region_id
    published(drawn("AAAB"))
    b = RegionVersion.objects.get(code=code("B")).region_id
    assert as_today([then])[then] == pytest.approx({then: 0.75, b: 0.25}, abs=1e-3)


def test_the_same_place_under_another_code_was_renamed() -> None:
    published(drawn("AABB"))
    published(drawn("AACC"))
    assert list(RegionSuccession.objects.values_list("kind", flat=True)) == ["rename"]


def test_a_moved_border_between_two_that_stay_is_no_succession() -> None:
    published(drawn(OLD))
    published(drawn(NEW))
    assert not RegionSuccession.objects.exists()


def test_an_invented_city_never_becomes_a_real_one() -> None:
    published(drawn("AABB"), provenance="invented")
    published(drawn("CCCC"))
    assert not RegionSuccession.objects.exists()


def test_successions_chain_over_three_editions() -> None:
    published(drawn("AABB"))
    then = RegionVersion.objects.get(code=code("A")).region_id
    published(drawn("CCCC"))
    Edition.objects.filter(state="published").update(effective_on=datetime.date(2020, 1, 1))
    RegionSuccession.objects.update(on=datetime.date(2020, 1, 1))
    published(drawn("DDDE"))
    now = {each.region_id: each.code for each in RegionVersion.objects.filter(edition__state="published")}
    assert {now[r]: s for r, s in as_today([then])[then].items()} == pytest.approx(
        {code("D"): 0.75, code("E"): 0.25}, abs=1e-3
    )


def test_what_is_told_wins_over_what_would_be_found() -> None:
    published(drawn("AABB"))
    edition = draft(drawn("CCDD"))
    declare_succession(
        edition=edition, origin=code("A"), successor=code("D"), kind="split", on=datetime.date(2024, 5, 1), share=0.6
    )
    publish_edition(edition=edition)
    told = RegionSuccession.objects.get(origin__codes__code=code("A"))
    assert (told.declared, told.share) == (True, 0.6)
    assert RegionSuccession.objects.filter(origin__codes__code=code("B")).count() == 1


def test_going_back_forgets_what_the_later_edition_brought() -> None:
    old = published(drawn("AABB"))
    published(drawn("CCCC"))
    publish_edition(edition=old)
    then = RegionVersion.objects.get(code=code("A"))
    assert as_today([then.region_id]) == {then.region_id: {then.region_id: 1.0}}
    assert Region.objects.get(pk=then.region_id).last_day is None


def test_the_edition_of_a_day_is_the_last_that_took_effect() -> None:
    for day, drawing in (("2020-01-01", OLD), ("2022-01-01", NEW)):
        edition = create_edition(name=day, source=source(), effective_on=datetime.date.fromisoformat(day))
        load_regions(edition=edition, records=drawn(drawing))
        publish_edition(edition=edition)
    assert str(edition_on(datetime.date(2021, 6, 1))) == "2020-01-01"
    assert str(edition_on(datetime.date(2023, 6, 1))) == "2022-01-01"
    assert edition_on(datetime.date(2019, 6, 1)) is None


# Points follow


def test_every_table_with_a_point_a_region_and_a_cell_takes_part() -> None:
    names = {table.name for table in assignment.point_tables()}
    assert {"addresses_address", "addresses_community", "facilities_facility"} <= names
    assert "roads_roadname" not in names


def test_a_killed_job_goes_on_and_the_old_edition_answers_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "CHUNK", 3)
    rows = [community(x, y) for x in range(4) for y in range(2)]
    published(drawn(OLD), "旧版")
    new = draft(drawn(NEW), "新版")
    before = [street_of(row) for row in rows]
    job = Job.objects.create(kind=PUBLISH_JOB, params={"edition": new.pk})
    prepared: list[int] = []
    real = assignment.prepare_chunk

    def dying(edition: Edition, table: assignment.PointTable, after: int, index: Any) -> Any:
        prepared.append(after)
        if len(prepared) == 4 and job.attempts == 0:
            raise SystemExit
        return real(edition, table, after, index)

    monkeypatch.setattr(region_jobs, "prepare_chunk", dying)
    with pytest.raises(SystemExit):
        run_job(job_id=job.pk)
    assert published_edition() != new
    assert [street_of(row) for row in rows] == before
    assert PendingAssignment.objects.exists()
    # while the worker is dead, people go on: one community moves, one is added, one goes
    Community.objects.filter(pk=rows[0].pk).update(geom=Point(*centre(3, 1), srid=CGCS2000))
    late = community(2, 1)
    rows.pop(1).delete()
    job.refresh_from_db()
    done = set(prepared[:-1])
    prepared.clear()
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
    outcome = run_job(job_id=job.pk)
    assert outcome.state == JobState.DONE, outcome.error
    assert not done & set(prepared) - {prepared[0]}
    assert published_edition() == new
    for row in [*rows, late]:
        row.refresh_from_db()
        expected = regions_at(row.geom.x, row.geom.y, scope=PUBLIC)[-1].code
        assert street_of(row) == expected
    assert not PendingAssignment.objects.exists()


def test_a_job_is_refused_before_it_starts_when_it_cannot_end_well() -> None:
    edition = create_edition(name="空的", source=source())
    with pytest.raises(Conflict):
        start_publishing(edition=edition, actor="tester")


def test_points_outside_every_region_have_none() -> None:
    lost = community(40, 40)
    published(drawn(OLD))
    lost.refresh_from_db()
    assert lost.region_id is None


def test_progress_is_a_share() -> None:
    published(drawn(OLD))
    job = Job.objects.create(kind=PUBLISH_JOB, params={"edition": draft(drawn(NEW)).pk}, state=JobState.RUNNING)
    assert region_jobs.publish(Progress(job), job.params)["edition"] == job.params["edition"]
