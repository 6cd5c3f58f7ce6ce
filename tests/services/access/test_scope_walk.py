"""Every route is walked as every role: nothing breaks, and nobody sees what lies in another district."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from geo.grids import cell_at
from geo.imports.models import Source
from geo.regions.models import Region
from services.access.actions import grant_role
from services.access.clients.models import ApiClient
from services.access.demo import DEMO_ACCOUNTS, make_demo_accounts
from services.access.models import Grant, User
from services.facilities.models import Facility
from services.kernel.documents.models import Attachment
from services.kernel.messages.models import Message

SECRET_NAME = "筹备中的杨浦托育园"
NOWHERE = "00000000-0000-4000-8000-000000000000"
SAMPLES = {
    "z": "14", "x": "13723", "y": "6692", "key": "places", "prefix": "qt_00000000", "kind": "facilities", "name": "light",
    "file_id": "00000000-0000-4000-8000-00000000f11e", "username": "yangpu", "app": "pt_yangpu", "label": "abcdef",
    "message_id": "00000000-0000-4000-8000-000000003e55", "uid": NOWHERE, "job_id": NOWHERE, "act": "stop", "step": "review",
    "matter": "trial", "event": "case.opened", "channel": "sms", "code": "id_card", "form": "trial", "entry": "web",
    "purpose": "real_name", "pk": "1", "page": "1", "number": "1", "layer": "places",
}  # fmt: skip
"""What stands for each parameter: what is hidden where there is something, and else something that does not exist."""
QUERIES = (f"?q={SECRET_NAME}", "?lon=121.5140&lat=31.3000&kinds=nursery&minutes=15", "?address=国权路1号")
CITY_WIDE = {"shi", "guihua"}
"""The roles whose grants cover the whole city; all others hold another district, or nothing."""
ROLES = ("", *(account.username for account in DEMO_ACCOUNTS))
ASKING = ("", "qu")
"""The roles that also ask every list for what is hidden; the lists ask the same queries for all."""
ENDING = ("/sign-out", "/account/sessions/end")
"""Where the walk would lock itself out."""


def routes() -> Iterator[str]:
    """Yield the pattern of every route of the house."""

    def walk(resolver: URLResolver, root: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            pattern = root + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, pattern)
            elif isinstance(entry, URLPattern):
                yield pattern

    yield from walk(get_resolver(), "/")


PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>|{(\w+)}")


def filled(pattern: str, facility_id: int) -> str:
    """Put a sample into each parameter of a route; a parameter that nobody named a sample for is refused."""

    def sample(found: re.Match[str]) -> str:
        kind, name = found[1] or "", found[2] or found[3]
        if name in SAMPLES:
            return SAMPLES[name]
        assert name.endswith("_id"), f"name a sample for the parameter {name} of {pattern}"
        return NOWHERE if kind == "uuid" or name == "batch_id" else str(facility_id)

    return PARAMETER.sub(sample, pattern).replace("^", "").replace("$", "")


def as_role(role: str) -> Client:
    """Return the browser of a role, '' for nobody."""
    client = Client(raise_request_exception=False)
    if role:
        client.force_login(User.objects.get(username=role), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def hidden(city: None) -> Facility:
    """Put things into 杨浦, where none of the narrower demo roles has a grant: a facility with a file, and a clerk.

    The clerk has a message, and there is a platform of that district.
    """
    make_demo_accounts()
    yangpu = Region.objects.get(versions__code="310110", versions__edition__state="published")
    place = Facility.objects.create(
        source=Source.objects.get(family="facilities", published_at__isnull=False),
        ext_id="hidden",
        kind_id="nursery",
        name=SECRET_NAME,
        region=yangpu,
        geom=Point(121.5140, 31.3000, srid=4490),
        cell=cell_at(121.5140, 31.3000),
        status="preparing",
    )
    Attachment.objects.create(
        pk=SAMPLES["file_id"], owner_kind="facilities", owner_id=str(place.pk), purpose="photo", region=yangpu, type="jpeg",
        name=f"{SECRET_NAME}.jpg", size=1, sha256="0" * 64, upload_sha256="0" * 64, state="clean", uploaded_by="x",
    )  # fmt: skip
    clerk = User.objects.create_user("yangpu", display_name=SECRET_NAME)
    grant_role(user=clerk, role="street_clerk", region=yangpu, granted_by="x")
    Message.objects.create(
        pk=SAMPLES["message_id"], key="hidden", recipient=clerk, event="x", title=SECRET_NAME, body="", visible_from=timezone.now()
    )  # fmt: skip
    ApiClient.objects.create(
        app=SAMPLES["app"], name=SECRET_NAME, keeper=SECRET_NAME, region=yangpu, networks=[], operations=[], per_minute=1,
        per_day=1, from_day=timezone.localdate(),
    )  # fmt: skip
    return place


def test_no_role_breaks_a_route_or_sees_another_district(hidden: Facility) -> None:
    broken, leaks, walked = [], [], 0
    paths = list(dict.fromkeys(filled(pattern, hidden.pk) for pattern in routes()))
    plain = {filled(pattern, hidden.pk) for pattern in routes() if not PARAMETER.search(pattern)}
    for role in ROLES:
        client = as_role(role)
        for path in paths:
            if path.startswith(ENDING):
                continue
            for query in ("", *QUERIES) if role in ASKING and path in plain else ("",):
                answer = client.get(path + query)
                walked += 1
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
                if answer.status_code >= 500 and answer.status_code != 503:
                    broken.append((role, path + query, answer.status_code))
                # What was typed may be shown again as what was asked for; as a place it must not.
                shown = content.decode(errors="ignore").replace(f'value="{SECRET_NAME}"', "")
                if role not in CITY_WIDE and "q=" not in query and SECRET_NAME in shown:
                    leaks.append((role, path + query))
    assert broken == []
    assert leaks == []
    assert walked > len(ROLES) * len(paths) * 0.9


def test_no_role_of_elsewhere_changes_anything_by_posting_to_any_route(hidden: Facility) -> None:
    def kept() -> list[dict[str, object]]:
        rows = (
            Facility.objects.filter(pk=hidden.pk),
            Attachment.objects.filter(pk=SAMPLES["file_id"]),
            User.objects.filter(username="yangpu"),
            Grant.objects.filter(user__username="yangpu"),
            Message.objects.filter(pk=SAMPLES["message_id"]),
            ApiClient.objects.filter(app=SAMPLES["app"]),
        )
        return [row for some in rows for row in some.values()]

    before, broken = kept(), []
    paths = list(dict.fromkeys(filled(pattern, hidden.pk) for pattern in routes() if PARAMETER.search(pattern)))
    for role in ("", "qu", "jumin"):
        client = as_role(role)
        for path in paths:
            answer = client.post(path, {"name": "x", "status": "closed", "reason": "x", "active": "0"})
            if answer.status_code >= 500 and answer.status_code != 503:
                broken.append((role, path, answer.status_code))
    assert broken == []
    assert len(before) == 6
    assert kept() == before


def test_the_hidden_place_is_there_for_those_who_may_see_it(hidden: Facility) -> None:
    seen = {}
    for role in ("", "qu", "jigou", "shi", "guihua"):
        client = Client()
        if role:
            client.force_login(User.objects.get(username=role), backend="django.contrib.auth.backends.ModelBackend")
        seen[role] = client.get(f"/api/v1/places/{hidden.pk}").status_code
    assert seen == {"": 404, "qu": 404, "jigou": 404, "shi": 200, "guihua": 200}


def test_its_files_are_there_for_those_who_may_see_it(hidden: Facility) -> None:
    seen = {}
    for role in ("qu", "jigou", "jumin", "shi", "guihua"):
        client = Client()
        client.force_login(User.objects.get(username=role), backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(f"/desk/files/{SAMPLES['file_id']}")
        seen[role] = page.status_code
        assert (f"{SECRET_NAME}.jpg" in page.content.decode()) == (page.status_code == 200)
    assert seen == {"qu": 404, "jigou": 404, "jumin": 404, "shi": 200, "guihua": 200}
