"""A tap on a telephone: judged, written down once with what speaks against it, signed, and never more than one at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pgtrigger
import pytest
from django.core.cache import cache
from django.db import Error, transaction
from django.utils import timezone

from geo.crs import Coordinate, System, convert
from geo.errors import BadInput, Conflict, NotFound
from services.access.models import AuditEntry
from services.access.personal.actions import withdraw_consent
from services.crypto.signed_rows import check_signed_rows
from services.fencing.checkins.checking import Sent, check_in
from services.fencing.checkins.faces import PURPOSE, begin_face, verify_waiting
from services.fencing.checkins.models import CheckIn, CheckInPhoto, Face, VisitState
from services.fencing.checkins.photos import FOLDER
from services.fencing.checkins.queries import to_review
from services.fencing.checkins.readings import read_reading
from services.fencing.checkins.reviewing import reveal_checkin, reveal_photo, review_checkin
from services.fencing.checkins.signed import CHECK_IN
from services.integrations.faces.simulator import Mood, Simulator
from services.kernel.security.retention import purge_records
from tests.services.fencing.checkins.visiting import Centre, at_home, face, sent, visit_of
from tests.services.fencing.sets import draft, drawn, published, square


def tap(centre: Centre, visit: Any, what: Sent) -> CheckIn:
    return check_in(visit_uid=visit.uid, sent=what, user=centre.worker, scope=centre.scope(centre.worker))


def test_a_visit_is_confirmed_at_its_beginning_and_its_end(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    begun = begin_face(centre.worker)
    first = tap(centre, visit, sent(reading=at_home(visit, north_m=60), token=begun.token))
    assert (first.verdict, first.counts, first.face, first.certainty) == ("present", True, Face.MATCHED, "in")
    assert (first.distance_m, first.accuracy_m, first.hints) == (60, 20, [])
    visit.refresh_from_db()
    assert visit.state == VisitState.PRESENT
    with pytest.raises(Conflict, match="已经签到"):
        tap(centre, visit, sent(reading=at_home(visit)))
    last = tap(centre, visit, sent("out", reading=at_home(visit), token=begin_face(centre.worker).token))
    visit.refresh_from_db()
    assert (last.counts, visit.state, visit.changed_by) == (True, VisitState.DONE, centre.worker.username)
    assert CheckInPhoto.objects.count() == 0  # whose face is known is kept no longer
    assert check_signed_rows(CHECK_IN) == (2, [])


def test_the_same_tap_sent_twice_is_one_and_asks_the_service_once(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    what = sent(reading=at_home(visit))
    assert tap(centre, visit, what).pk == tap(centre, visit, what).pk
    assert faces.asked[str(what.key)] == 1
    with pytest.raises(Conflict, match="用过"):
        tap(centre, visit_of(centre, worker=centre.worker.username, begins=timezone.now() + dt.timedelta(hours=2),
                             ends=timezone.now() + dt.timedelta(hours=3)), what)  # fmt: skip


@pytest.mark.parametrize(
    ("over", "verdict", "says"),
    [
        ({"north_m": 800}, "outside", "离服务地址约 800 米"),
        ({"north_m": 100, "accuracy": 900}, "vague", "窗边"),
        ({"lat": 39.9, "lon": 116.4}, "outside", "不在本市"),
    ],
)
def test_who_is_elsewhere_is_told_and_may_try_again(
    centre: Centre, faces: Simulator, over: dict[str, Any], verdict: str, says: str
) -> None:
    visit = visit_of(centre)
    row = tap(centre, visit, sent(reading=at_home(visit, **over)))
    assert (row.verdict, row.counts) == (verdict, False)
    assert says in row.said
    visit.refresh_from_db()
    assert visit.state == VisitState.PLANNED
    assert tap(centre, visit, sent(reading=at_home(visit))).counts


def test_a_position_of_a_container_in_gcj02_is_not_500_metres_away(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    here = at_home(visit)
    shifted = convert(here.given, System.GCJ02)
    said = {"lon": repr(shifted.x), "lat": repr(shifted.y), "crs": "gcj02", "accuracy": "25"}
    assert tap(centre, visit, sent(reading=read_reading(said))).distance_m == 0
    wrong = read_reading(said | {"crs": "wgs84"})
    assert wrong is not None
    assert wrong.given == Coordinate(shifted.x, shifted.y, System.WGS84)
    other = visit_of(centre, worker=centre.other.username)
    row = check_in(
        visit_uid=other.uid, sent=sent(reading=wrong, device="d2"), user=centre.other, scope=centre.scope(centre.other)
    )
    assert row.verdict == "outside"


@pytest.mark.parametrize(
    "said",
    [{"lon": "121"}, {"lon": "x", "lat": "31", "crs": "wgs84", "accuracy": "3"}, {"lon": "121", "lat": "31", "accuracy": "3"},
     {"lon": "121", "lat": "31", "crs": "bd09", "accuracy": "3"}, {"lon": "nan", "lat": "31", "crs": "wgs84", "accuracy": "3"},
     {"lon": "121", "lat": "31", "crs": "wgs84", "accuracy": "-1"}],
)  # fmt: skip
def test_a_position_without_its_system_or_accuracy_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        read_reading(said)


def test_what_comes_too_early_does_not_count(centre: Centre, faces: Simulator) -> None:
    begins = timezone.now() + dt.timedelta(hours=2)
    visit = visit_of(centre, begins=begins, ends=begins + dt.timedelta(hours=1))
    row = tap(centre, visit, sent(reading=at_home(visit)))
    assert (row.verdict, row.counts) == ("untimely", False)
    assert f"{timezone.localtime(begins - dt.timedelta(minutes=30)):%H:%M} 起" in row.said


def test_a_mocked_position_counts_and_is_told_to_who_supervises(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    row = tap(centre, visit, sent(reading=at_home(visit, mocked=True)))
    assert (row.verdict, row.counts, row.hint) == ("suspect", True, "mock")
    keeper = centre.scope(centre.keeper)
    assert [each.pk for each in to_review(scope=keeper)] == [row.pk]
    review_checkin(pk=row.pk, accepted=True, words="电话核实过", scope=keeper)
    assert list(to_review(scope=keeper)) == []
    with pytest.raises(Conflict):
        review_checkin(pk=row.pk, accepted=False, words="不对", scope=keeper)


@pytest.mark.parametrize(
    ("pictures", "known", "state"),
    [
        ((face("b"), face("b", turned=1)), True, Face.DIFFERENT),
        ((face("a"), face("a")), True, Face.NOT_LIVE),
        ((face("a"), face("a", turned=1)), False, Face.NOT_ENROLLED),
    ],
)
def test_another_face_does_not_confirm_and_words_go_to_review(
    centre: Centre, faces: Simulator, pictures: tuple[bytes, ...], known: bool, state: Face
) -> None:
    visit = visit_of(centre)
    if not known:
        faces.known.clear()
    token = begin_face(centre.worker).token
    row = tap(centre, visit, sent(reading=at_home(visit), pictures=pictures, token=token))
    assert (row.face, row.verdict, row.counts) == (state, "present", False)
    assert "说明情况" in row.said or "再拍一次" in row.said
    with pytest.raises(BadInput, match="写明情况"):
        tap(centre, visit, sent(reading=at_home(visit), manual=True, words="x"))
    said = sent(reading=at_home(visit), pictures=(), manual=True, words="脸上有伤，家属在场")
    again = tap(centre, visit, said)
    assert (again.counts, again.manual, again.face) == (True, True, Face.MISSING)
    assert [each.pk for each in to_review(scope=centre.scope(centre.keeper))] == [again.pk]


def test_without_consent_nothing_goes_to_the_service(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    withdraw_consent(user=centre.worker, purpose=PURPOSE)
    row = tap(centre, visit, sent(reading=at_home(visit)))
    assert (row.face, row.counts, faces.asked) == (Face.MISSING, False, {})
    assert "先同意" in row.said


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.BROKEN, Mood.GARBAGE, Mood.STRANGER])
def test_while_the_service_is_away_a_face_waits_sealed_and_is_checked_later(
    centre: Centre, faces: Simulator, mood: Mood, settings: Any
) -> None:
    visit = visit_of(centre)
    faces.mood = mood
    row = tap(centre, visit, sent(reading=at_home(visit), token=begin_face(centre.worker).token))
    assert (row.face, row.counts) == (Face.PENDING, True)
    assert "待核验" in row.said
    kept = [path for path in (settings.MEDIA_ROOT / FOLDER).rglob("*") if path.is_file()]
    assert len(kept) == 1
    assert not kept[0].read_bytes().startswith(b"\xff\xd8")  # sealed
    assert verify_waiting() == 0
    faces.mood = Mood.WELL
    cache.clear()  # the breaker's rest is over
    assert verify_waiting() == 1
    assert verify_waiting() == 0
    row = CheckIn.objects.get(pk=row.pk)
    assert (row.face, row.faced) == (Face.PENDING, Face.MATCHED)


def test_the_file_of_a_face_goes_with_its_row(
    centre: Centre, faces: Simulator, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    visit = visit_of(centre, kind="home_bed")  # keeps the picture as evidence
    row = tap(centre, visit, sent(reading=at_home(visit), token=begin_face(centre.worker).token))
    keeper = centre.scope(centre.keeper)
    assert reveal_photo(pk=row.pk, scope=keeper).startswith(b"\xff\xd8")
    with django_capture_on_commit_callbacks(execute=True):
        purge_records(now=timezone.now() + dt.timedelta(days=91))
    assert [path for path in (settings.MEDIA_ROOT / FOLDER).rglob("*") if path.is_file()] == []
    with pytest.raises(NotFound, match="按期限删除"):
        reveal_photo(pk=row.pk, scope=keeper)
    purge_records(now=timezone.now() + dt.timedelta(days=367))
    seen = reveal_checkin(pk=row.pk, scope=keeper)
    assert (seen.facts, seen.home.name) == (None, "李阿婆")
    purge_records(now=timezone.now() + dt.timedelta(days=1_130))
    assert not CheckIn.objects.exists()
    assert check_signed_rows(CHECK_IN) == (0, [])


def test_a_position_is_read_by_who_may_with_a_line_in_the_audit_log(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    row = tap(centre, visit, sent(reading=at_home(visit, north_m=30)))
    seen = reveal_checkin(pk=row.pk, scope=centre.scope(centre.keeper))
    assert seen.intact
    assert seen.facts is not None
    assert seen.facts.lat == pytest.approx(seen.home.lat + 0.00027)
    line = AuditEntry.objects.filter(act="answer_revealed").latest("pk")
    assert (line.actor, line.detail["checkin"]) == (centre.keeper.username, row.pk)
    assert str(seen.facts.lat)[:6] not in str(line.detail)


def test_a_record_is_never_changed_and_a_change_past_us_is_found_out(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    row = tap(centre, visit, sent(reading=at_home(visit)))
    with pytest.raises(ValueError, match="never changed"):
        row.save()
    with pytest.raises(Error, match="append_only"), transaction.atomic():
        CheckIn.objects.filter(pk=row.pk).update(verdict="outside")
    with pgtrigger.ignore("checkins.CheckIn:append_only"):
        CheckIn.objects.filter(pk=row.pk).update(distance_m=0, said="到位，就在门口")
    assert [finding.code for finding in check_signed_rows(CHECK_IN)[1]] == ["row_changed"]


def test_two_telephones_on_one_day_are_told(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    tap(centre, visit, sent(reading=at_home(visit), device="d1"))
    assert tap(centre, visit, sent("out", reading=at_home(visit), device="d9")).hints == ["two_devices"]


def test_a_visit_to_a_fence_counts_inside_it_while_it_holds(centre: Centre, faces: Simulator) -> None:
    edition = draft()
    area = drawn(edition, "为老服务片", square(0, 0))
    published(edition)
    visit = visit_of(centre, fence=area.same)
    inside = area.geom.point_on_surface
    here = {"lon": inside.x, "lat": inside.y, "given": Coordinate(inside.x, inside.y, System.CGCS2000)}
    assert tap(centre, visit, sent(reading=at_home(visit, accuracy=2, **here))).verdict == "present"
    other = visit_of(centre, fence=area.same, worker=centre.other.username)
    out = sent(reading=at_home(other, lat=inside.y + 0.01, lon=inside.x, accuracy=5), device="d2")
    row = check_in(visit_uid=other.uid, sent=out, user=centre.other, scope=centre.scope(centre.other))
    assert row.verdict == "outside"


def test_nobody_confirms_the_visit_of_another(centre: Centre, faces: Simulator) -> None:
    visit = visit_of(centre)
    with pytest.raises(NotFound):
        check_in(visit_uid=visit.uid, sent=sent(), user=centre.other, scope=centre.scope(centre.other))
    with pytest.raises(NotFound):
        check_in(visit_uid=uuid.uuid4(), sent=sent(), user=centre.worker, scope=centre.scope(centre.worker))
    with pytest.raises(Conflict, match="先签到"):
        tap(centre, visit, sent("out", reading=at_home(visit)))
