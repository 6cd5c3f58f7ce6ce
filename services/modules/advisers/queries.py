"""Reads of the advisers: what a form of change begins with."""

from __future__ import annotations

from collections.abc import Mapping

from services.access.models import User
from services.access.queries import Caller, scope_of
from services.facilities.models import Facility
from services.kernel.forms.prefilling import Asker, Value
from services.modules.advisers.models import SITE_KIND, Adviser
from services.modules.advisers.words import TOPICS


def site_known(asker: Asker) -> Mapping[str, Value]:
    """Return what is known of the only point of somebody's institutions; nothing where there are several, or none."""
    sites = _sites(asker)[:2]
    if len(sites) != 1:
        return {}
    site = sites[0]
    codes = {label: code for code, label in TOPICS}
    said = {
        "adviser_site": site.pk,
        "adviser_site_name": site.name,
        "adviser_site_address": site.address_text,
        "adviser_site_phone": site.phone,
        "adviser_level": site.attributes.get("adviser_level"),
        "adviser_topics": [codes[each] for each in site.attributes.get("advises_on", "").split("、") if each in codes],
        "adviser_status": site.status,
    }
    return {key: Value(value, site.updated_at) for key, value in said.items() if value}


def adviser_known(asker: Asker) -> Mapping[str, Value]:
    """Return what is known of the only adviser of somebody's institutions; nothing where there are several, or none."""
    advisers = list(Adviser.objects.filter(site__in=_sites(asker)).exclude(post="left")[:2])
    if len(advisers) != 1:
        return {}
    one = advisers[0]
    said = {
        "adviser_certificate": one.certificate,
        "adviser_site": one.site_id,
        "adviser_post": one.post,
        "adviser_engaged": one.engaged,
        "adviser_to": one.to_day.isoformat() if one.to_day else None,
    }
    return {key: Value(value, one.updated_at) for key, value in said.items() if value}


def _sites(asker: Asker) -> list[Facility]:
    user = User.objects.filter(pk=asker.account_id).first()
    organisations = scope_of(Caller(user)).organisations if user else frozenset()
    return list(Facility.objects.filter(kind=SITE_KIND, retired_at=None, organisation__in=organisations).order_by("pk"))
