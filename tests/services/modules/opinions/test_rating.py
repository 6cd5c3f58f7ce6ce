"""The platform of supervision is told how institutions are rated: figures only, each change once, until it takes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from geo.scope import Scope
from services.access.models import Organisation
from services.facilities.models import Facility
from services.integrations.outbox import MOST_ATTEMPTS
from services.integrations.supervision.schemas import Facts
from services.integrations.supervision.simulator import Simulator
from services.modules.opinions.actions import review_comment, write_comment
from services.modules.opinions.models import Comment, CommentState, RatingReport, ReportState
from services.modules.opinions.rating import report_rating, tell_ratings
from tests.services.modules.finder.conftest import Family, scope
from tests.services.modules.opinions.conftest import resident

CODE = "52310101MJ4910001A"


@pytest.fixture
def platform(settings: Any, home: Facility) -> Iterator[Simulator]:
    cache.clear()
    Organisation.objects.filter(pk=home.organisation_id).update(credit_code=CODE)
    with Simulator(app="quantu", secret="s3cret", facts=[Facts(credit_code=CODE, as_of=dt.date(2026, 11, 1))]) as one:
        settings.SUPERVISION_URL, settings.SUPERVISION_APP, settings.SUPERVISION_SECRET = one.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield one


def say(home: Facility, name: str, stars: int, **aspects: int) -> Comment:
    """Write a comment and let it be published."""
    row = write_comment(
        user=resident(name, "王先生"), place_id=home.pk, overall=stars, aspects=aspects, text="和气", seen=0,
        scope=Scope.public(),
    )  # fmt: skip
    return review_comment(pk=row.pk, seen=row.version, state="published", reason="", scope=scope("qu"))


def test_each_change_is_told_once_and_nothing_of_a_person(platform: Simulator, home: Facility, family: Family) -> None:
    assert tell_ratings() == 0  # nothing was ever said
    for number, stars in enumerate((5, 4, 4)):
        row = say(home, f"r{number}", stars, care=stars)
    assert tell_ratings() == 1
    told = platform.ratings[CODE]
    assert (told.comments, told.mean, told.aspects) == (3, 4.3, {"服务态度": 4.3})
    assert tell_ratings() == 0
    # One is taken down: two are left, and no mean is told of two.
    row = review_comment(pk=row.pk, seen=row.version, state="taken_down", reason="不是事实", scope=scope("qu"))
    assert tell_ratings() == 1
    assert (platform.ratings[CODE].comments, platform.ratings[CODE].mean) == (2, None)
    Comment.objects.all().delete()
    assert tell_ratings() == 1
    assert platform.ratings[CODE].comments == 0
    assert set(RatingReport.objects.values_list("state", flat=True)) == {ReportState.SENT}
    kept = str(list(RatingReport.objects.values()))
    assert "王" not in kept
    assert "和气" not in kept


def test_what_is_not_public_or_of_nobody_is_not_told(platform: Simulator, home: Facility, family: Family) -> None:
    write_comment(user=family.user, place_id=home.pk, overall=1, aspects={}, text="", seen=0, scope=Scope.public())
    assert tell_ratings() == 0
    Comment.objects.update(state=CommentState.PUBLISHED)
    Organisation.objects.filter(pk=home.organisation_id).update(credit_code="")
    assert tell_ratings() == 0
    assert platform.requests == 0


def test_what_does_not_arrive_is_sent_again_and_the_newest_wins(
    platform: Simulator, home: Facility, family: Family
) -> None:
    platform.fails = "silent"
    say(home, "r0", 5)
    assert tell_ratings() == 0
    first = RatingReport.objects.get()
    assert (first.state, first.attempts, bool(first.code)) == (ReportState.WAITING, 1, True)
    assert tell_ratings() == 0  # not before its pause is over
    assert RatingReport.objects.get().attempts == 1
    say(home, "r1", 4)
    platform.fails = "busy"
    tell_ratings()
    first.refresh_from_db()
    assert first.state == ReportState.REPLACED
    platform.fails = ""
    RatingReport.objects.update(next_at=timezone.now())
    assert tell_ratings() == 1
    assert platform.ratings[CODE].comments == 2


def test_figures_on_their_way_are_not_overtaken(platform: Simulator, home: Facility, family: Family) -> None:
    say(home, "r0", 5)
    row = report_rating(organisation_id=home.organisation_id or 0)
    assert row
    on_its_way = {"attempts": 1, "code": "", "next_at": timezone.now() + dt.timedelta(minutes=1)}
    RatingReport.objects.filter(pk=row.pk).update(**on_its_way)
    say(home, "r1", 4)
    assert report_rating(organisation_id=home.organisation_id or 0) is None
    # The worker that had it is gone: its claim runs out, and the newer figures take its place.
    RatingReport.objects.filter(pk=row.pk).update(next_at=timezone.now())
    assert tell_ratings() == 1
    assert platform.ratings[CODE].comments == 2


@pytest.mark.parametrize("code", [CODE, "52310101MJ4910009Z"])
def test_what_will_never_be_taken_is_given_up(platform: Simulator, home: Facility, family: Family, code: str) -> None:
    platform.facts.clear()
    Organisation.objects.filter(pk=home.organisation_id).update(credit_code=code)  # Z is no digit of such a code
    say(home, "r0", 5)
    assert tell_ratings() == 1
    assert RatingReport.objects.get().state == ReportState.GIVEN_UP
    assert tell_ratings() == 0


def test_after_its_last_attempt_a_report_is_given_up_and_without_a_platform_it_is_not_made(
    platform: Simulator, home: Facility, family: Family, settings: Any
) -> None:
    platform.fails = "busy"
    say(home, "r0", 5)
    tell_ratings()
    RatingReport.objects.update(attempts=MOST_ATTEMPTS - 1, next_at=timezone.now())
    assert tell_ratings() == 1
    assert RatingReport.objects.get().state == ReportState.GIVEN_UP
    say(home, "r1", 4)
    settings.SUPERVISION_URL = ""
    assert tell_ratings() == 0
    assert RatingReport.objects.count() == 1
