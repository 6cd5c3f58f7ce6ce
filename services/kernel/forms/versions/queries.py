"""Which form counts for a region and an entry on a day, and the versions that staff of a region keep."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from geo.errors import Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city, path_of, region_by_code, versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.forms.composing import Composed, Library, compose, composition_of, form_from
from services.kernel.forms.library.queries import CONFIGURE, dictionaries_now, library_now
from services.kernel.forms.models import FormVersion, VersionState
from services.kernel.forms.registry import entry_named, form_named
from services.kernel.forms.spec import Form


@dataclass(frozen=True, slots=True)
class Standing:
    """The form that counts: its version, None while nobody published one and the declared form counts."""

    form: Form
    version: FormVersion | None


def chain_of(region_id: int) -> list[int]:
    """Return a region and those above it, the nearest first; one that the published edition does not know stands alone."""
    path = path_of(region_id, scope=Scope.public())
    return [version.region_id for version in reversed(path)] or [region_id]


def city_region() -> RegionVersion:
    """Return the city in the published edition. Raises ``NotFound``."""
    return region_by_code(current_city().code, scope=Scope.public())


def regions_to_compose(*, scope: Scope) -> list[RegionVersion]:
    """Return the city and districts whose forms the scope composes, coarse before fine."""
    check_duty(scope, CONFIGURE)
    return list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district")))


def region_to_compose(code: str, *, scope: Scope) -> RegionVersion:
    """Return a region (by code; '' the first) whose forms the scope composes. Raises ``Forbidden``."""
    for version in regions_to_compose(scope=scope):
        if code in ("", version.code):
            return version
    raise Forbidden("region_outside_scope", "表单按市、区配置，这个区划不在您的管辖范围内。")


def version_for(*, form: str, entry: str, region_id: int, day: dt.date | None = None) -> FormVersion | None:
    """Return the version that counts for a region on a day: the nearest region's latest; None where there is none."""
    day = day or timezone.localdate()
    chain = chain_of(region_id)
    rows = FormVersion.objects.filter(
        form=form, entry=entry, region__in=chain, state=VersionState.PUBLISHED, from_day__lte=day
    )
    newest = {row.region_id: row for row in rows.order_by("region", "-from_day", "-number").distinct("region")}
    return next((newest[region] for region in chain if region in newest), None)


def standing_form(*, form: str, entry: str, region_id: int, day: dt.date | None = None) -> Standing:
    """Return the form that counts for a region and an entry on a day, with its dictionaries as they are now.

    Raises ``NotFound``, ``BadInput``.
    """
    spec = form_named(form)
    entry_named(spec, entry)
    version = version_for(form=form, entry=entry, region_id=region_id, day=day)
    if version is not None:
        return Standing(living_form(version), version)
    composed = compose(composition_of(spec, entry), library_now(), key=form, title=spec.title, entry=entry)
    return Standing(composed.form, None)


def living_form(version: FormVersion) -> Form:
    """Return the form of a published version, its dictionaries as they are now."""
    form = form_from(version.definition or {})
    return form.with_living(dictionaries_now([each.key for each in form.dictionaries]))


def versions_kept(*, form: str, entry: str, region_id: int, scope: Scope) -> QuerySet[FormVersion]:
    """Return the versions of a form of one region that the scope composes, the newest first."""
    check_duty(scope, CONFIGURE)
    rows = FormVersion.objects.filter(within(scope), form=form, entry=entry, region=region_id)
    return rows.order_by("-number")


def version_kept(version_id: int, *, scope: Scope) -> FormVersion:
    """Return one version that the scope composes. Raises ``NotFound`` in the same words for none and for another region's."""
    check_duty(scope, CONFIGURE)
    row = FormVersion.objects.filter(within(scope), pk=version_id).first()
    if row is None:
        raise NotFound("form_version_unknown", "没有找到这一版表单，或者它不在您的管辖范围内。")
    return row


def composed_of(version: FormVersion, library: Library | None = None) -> Composed:
    """Return the form of a version as it would be published now, with what is wrong with it; a published one as it is."""
    if version.definition is not None:
        return Composed(living_form(version), ())
    spec = form_named(version.form)
    city = None
    if version.region_id != (root := city_region().region_id):
        city = standing_form(form=version.form, entry=version.entry, region_id=root).form
    return compose(
        version.composition,
        library or library_now(),
        key=version.form,
        title=spec.title,
        entry=version.entry,
        city=city,
    )
