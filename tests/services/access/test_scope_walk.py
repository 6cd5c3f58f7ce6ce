"""Every route is walked as every role: nothing breaks, and nobody sees what lies in another district."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from geo.grids import cell_at
from geo.imports.models import Source
from geo.regions.models import Region
from services.access.demo import DEMO_ACCOUNTS, make_demo_accounts
from services.access.models import User
from services.facilities.models import Facility
from services.kernel.documents.models import Attachment

SECRET_NAME = "筹备中的杨浦托育园"
SAMPLES = {
    "batch_id": "00000000-0000-4000-8000-000000000000",
    "z": "14",
    "x": "13723",
    "y": "6692",
    "key": "places",
    "prefix": "qt_00000000",
    "layer": "places",
    "file_id": "00000000-0000-4000-8000-00000000f11e",
    "kind": "facilities",
}
QUERIES = ("", f"?q={SECRET_NAME}", "?lon=121.5140&lat=31.3000&kinds=nursery&minutes=15", "?address=国权路1号")
CITY_WIDE = {"shi", "guihua"}
"""The roles whose grants cover the whole city; all others hold another district, or nothing."""
ROLES = ("", *(account.username for account in DEMO_ACCOUNTS))


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


def filled(pattern: str, facility_id: int) -> str:
    """Put a sample into each parameter of a route."""
    path = pattern
    while "<" in path or "{" in path:
        begin, end = ("<", ">") if "<" in path else ("{", "}")
        before, _, rest = path.partition(begin)
        parameter, _, after = rest.partition(end)
        name = parameter.rpartition(":")[2]
        sample = SAMPLES.get(name, str(facility_id) if name.endswith("id") else "1")
        path = before + sample + after
    return path.replace("^", "").replace("$", "")


@pytest.fixture
def hidden(city: None) -> Facility:
    """Put a facility in preparation into 杨浦, where none of the narrower demo roles has a grant."""
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
    return place


def test_no_role_breaks_a_route_or_sees_another_district(hidden: Facility) -> None:
    broken, leaks, walked = [], [], 0
    for role in ROLES:
        client = Client(raise_request_exception=False)
        if role:
            client.force_login(User.objects.get(username=role), backend="django.contrib.auth.backends.ModelBackend")
        for pattern in routes():
            path = filled(pattern, hidden.pk)
            if path.startswith("/sign-out"):
                continue
            for query in QUERIES:
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
    assert walked > 100


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
