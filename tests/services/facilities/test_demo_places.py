"""The place of the demo institution: given once, invented, one to confirm, and never taken from anybody."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

from geo.imports.models import Provenance, Source
from services.access.models import Organisation, User
from services.facilities.models import Facility

pytestmark = pytest.mark.usefixtures("city")


def own_places() -> str:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="jigou"), backend="django.contrib.auth.backends.ModelBackend")
    return client.get("/my/places").content.decode()


def test_the_first_thing_an_institution_sees_is_a_place_to_confirm() -> None:
    for _ in range(2):  # every start makes the accounts
        call_command("demo_accounts", quiet=True)
    place = Facility.objects.get(organisation__name__startswith="小石库门托育园")
    assert place.source.provenance == Provenance.INVENTED
    assert place.kind_id == "nursery"
    page = own_places()
    assert page.count('class="card own-place"') == 1
    assert place.name in page
    assert "仍然如此" in page


def test_what_staff_gave_it_stays_and_real_places_are_never_given() -> None:
    call_command("demo_accounts", quiet=True)
    organisation = Organisation.objects.get(name__startswith="小石库门托育园")
    Facility.objects.filter(organisation=organisation).update(organisation=None)
    chosen = Facility.objects.filter(kind="canteen", retired_at=None).order_by("pk")[0]
    Facility.objects.filter(pk=chosen.pk).update(organisation=organisation)
    call_command("demo_accounts", quiet=True)
    assert list(Facility.objects.filter(organisation=organisation)) == [chosen]
    Facility.objects.filter(pk=chosen.pk).update(organisation=None)
    Source.objects.filter(family="facilities").update(provenance=Provenance.REAL)
    call_command("demo_accounts", quiet=True)
    assert not Facility.objects.filter(organisation=organisation).exists()
