"""Applying for a service at a place: our own form begun there, the outside entry that managers keep, and no dead link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from geo.errors import BadInput, Conflict, Forbidden
from geo.regions.queries import path_of
from geo.scope import Scope
from services.crypto.keystore import make_keystore
from services.facilities.models import Facility
from services.kernel.forms.actions import save_draft, submit
from services.kernel.forms.models import Submission
from services.kernel.workflow.models import Case
from services.modules.careservice.actions import checked_url, set_outside_entry
from services.modules.careservice.models import OutsideEntry
from services.modules.careservice.queries import outside_entry
from tests.services.modules.finder.conftest import Family, said, scope, staff

OUTSIDE = "https://zwdt.example.gov.cn/elder?id=1"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Any) -> None:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    settings.MEDIA_ROOT = tmp_path / "media"


def street_of(place: Facility) -> str:
    assert place.region_id
    return next(one.code for one in path_of(place.region_id, scope=Scope.public()) if one.level == "street")


def begin(client: Client, place: Facility, street: str) -> str:
    """Begin an application at a place, and return the address of its form."""
    page = said(client.get(f"/my/cases/new/care_service?place={place.pk}"))
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    answer = client.post(
        "/my/cases/new/care_service", {"key": key[1], "region": street, "place": str(place.pk), "entry": "all"}
    )
    assert answer.status_code == 302, said(answer)
    return str(answer["Location"])


@pytest.mark.usefixtures("city")
def test_an_application_begun_at_a_place_is_about_it_and_comes_back_to_my_services(
    family: Family,
    places: dict[str, Facility],
) -> None:
    home, mama = places["care_home"], family.signed_in()
    assert f"/my/cases/new/care_service?place={home.pk}" in said(family.device.get(f"/places/{home.pk}/apply"))
    first = said(mama.get(f"/my/cases/new/care_service?place={home.pk}"))
    assert f"“{home.name}”" in first
    assert f'value="{street_of(home)}" selected' in first
    path = begin(mama, home, street_of(home))
    shown = said(mama.get(path))
    assert f'value="{home.pk}" selected' in shown
    assert "陈女士" in shown  # the account still says who asks
    row = Submission.objects.get()
    answers = {
        "care_place": str(home.pk), "care_services": ["live"], "elder_name": "张老伯", "elder_level": "none",
        "elder_identity": "310101199001010012", "applicant_kin": "child", "applicant_name": "陈女士",
        "applicant_phone": "13800000000",
    }  # fmt: skip
    row = save_draft(submission_id=row.pk, answers=answers, seen=row.version, scope=scope("mama")).row
    done = submit(submission_id=row.pk, answers=None, seen=row.version, scope=scope("mama"))
    assert done.checked.faults == ()
    case = Case.objects.get()
    assert (case.facility_id, case.applicant) == (home.pk, family.user)
    mine = said(mama.get("/elder/mine"))
    assert case.number in mine or "养老服务申请" in mine
    assert home.name in mine
    assert "办理中" in mine


@pytest.mark.usefixtures("city")
def test_a_place_of_another_street_stays_chosen_and_other_kinds_are_not_applied_at(
    family: Family,
    places: dict[str, Facility],
) -> None:
    home, mama = places["care_home"], family.signed_in()
    other = "310110" if street_of(home)[:6] != "310110" else "310101"
    street = next(
        code for code in re.findall(r'<option value="(\d{9})"', said(mama.get("/my/cases/new/care_service")))
        if code.startswith(other)
    )  # fmt: skip
    assert f'value="{home.pk}" selected' in said(mama.get(begin(mama, home, street)))
    nursery = places["nursery"]
    answer = mama.get(f"/my/cases/new/care_service?place={nursery.pk}")
    assert answer.status_code == 404
    assert "申请服务" in said(answer)
    assert "care_service" not in said(mama.get(f"/places/{nursery.pk}/apply"))


@pytest.mark.usefixtures("city")
def test_managers_keep_the_outside_entry_by_kind_with_history(family: Family, places: dict[str, Facility]) -> None:
    home, page = places["care_home"], "/desk/apply-entries"
    apply = f"/places/{home.pk}/apply"
    assert "养老服务一件事”，请到下面的受理窗口办" in said(family.device.get(apply))
    manager = staff("shi")
    assert manager.post(page, {"kind": "", "url": OUTSIDE, "seen": "0"}).status_code == 302
    assert f'href="{OUTSIDE.replace("&", "&amp;")}" target="_blank" rel="noreferrer noopener"' in said(
        family.device.get(apply)
    )
    assert manager.post(page, {"kind": "care_home", "url": f"{OUTSIDE}2", "seen": "0"}).status_code == 302
    assert outside_entry("care_home") == f"{OUTSIDE}2"
    assert outside_entry("day_care") == OUTSIDE
    # A form of before somebody else changed it overwrites nothing.
    stale = manager.post(page, {"kind": "care_home", "url": f"{OUTSIDE}3", "seen": "0"})
    assert stale.status_code == 409
    assert "别人刚改过" in said(stale)
    assert manager.post(page, {"kind": "care_home", "url": "", "seen": "1"}).status_code == 302
    assert outside_entry("care_home") == OUTSIDE
    shown = said(manager.get(page))
    assert f"{OUTSIDE}2" in shown  # in the history
    assert "清空" in shown
    assert manager.post(page, {"kind": "care_home", "url": "", "seen": "1"}).status_code == 302  # sent twice
    assert OutsideEntry.objects.get(kind="care_home").revision == 2


@pytest.mark.usefixtures("city")
def test_only_managers_of_the_city_set_an_entry(family: Family) -> None:
    for name in ("qu", "jiezhen"):
        assert staff(name).get("/desk/apply-entries").status_code == 403
        with pytest.raises(Forbidden):
            set_outside_entry(kind="", url=OUTSIDE, seen=0, scope=scope(name))
    with pytest.raises(BadInput):
        set_outside_entry(kind="nursery", url=OUTSIDE, seen=0, scope=scope("shi"))
    set_outside_entry(kind="", url=OUTSIDE, seen=0, scope=scope("shi"))
    with pytest.raises(Conflict):
        set_outside_entry(kind="", url=f"{OUTSIDE}9", seen=0, scope=scope("shi"))


@pytest.mark.parametrize(
    "url",
    ["http://zwdt.example.gov.cn/", "javascript:alert(1)", "https://", "https://localhost/", "https://10.0.0.1/",
     "https://user@zwdt.example.gov.cn/", "https://zwdt.example.gov.cn:8443/", "https://a.example.cn/ b",
     "https://a.example.cn/'", "https://[::1]/", "//a.example.cn/", "ftp://a.example.cn/", "https://a.example.cn/" + "x" * 500,
     "https://a.exa\nmple.cn/"],
)  # fmt: skip
def test_an_address_people_are_sent_to_is_https_at_a_named_host(url: str) -> None:
    with pytest.raises(BadInput):
        checked_url(url)


def test_a_plain_address_is_taken_as_it_is() -> None:
    assert checked_url(f"  {OUTSIDE} ") == OUTSIDE
    assert checked_url("") == ""
