"""Reads of templates: which text counts in a region, what staff of a region keep, and a sample of any text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from django.db.models import Prefetch, QuerySet

from geo.errors import Forbidden, NotFound
from geo.regions.models import EditionState, Level, RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.documents.models import DocumentTemplate, TemplateAct, TemplateVersion
from services.kernel.documents.registry import template_spec, template_specs
from services.kernel.documents.rendering.documents import Format, Text, render_document
from services.kernel.documents.spec import TemplateSpec
from services.kernel.documents.store import digest_of, path_of

DUTY: Final = "templates.edit"
ACTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A template as staff of one region meet it: what counts there now, and their own versions, newest first."""

    spec: TemplateSpec
    region: RegionVersion
    own: DocumentTemplate | None
    versions: tuple[TemplateVersion, ...]
    acts: tuple[TemplateAct, ...]
    now: Text
    from_region: str
    """The name of the region whose text counts, '' for the declared one."""
    deletable: frozenset[int]
    """The versions that were never published."""


def declared_text(spec: TemplateSpec) -> Text:
    """Return the text that an app declared."""
    kind = cast(Literal["typ", "docx"], spec.source.suffix.removeprefix("."))
    return Text(spec, spec.source, kind, _digest_of_source(spec.source))


def text_of(version: TemplateVersion) -> Text:
    """Return one uploaded text."""
    template = version.template
    spec = template_spec(template.key)
    return Text(spec, path_of(version.sha256), "docx", version.sha256, version.number, template.region_id)


def text_for(*, key: str, region_id: int | None) -> Text:
    """Return the text of a template that counts in a region: its own, the nearest above it, or the declared one."""
    spec = template_spec(key)
    for place in reversed(_line_of(region_id)):
        found = _published(key).filter(region_id=place.region_id).first()
        if found is not None and found.published is not None:
            return text_of(found.published)
    return declared_text(spec)


def regions_kept(*, scope: Scope) -> list[RegionVersion]:
    """Return the regions whose templates the caller keeps, wide before narrow. Raises ``Forbidden`` without the duty."""
    check_duty(scope, DUTY)
    levels = (Level.CITY, Level.DISTRICT, Level.STREET)
    rows = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED, region__level__in=levels)
    return [row for row in rows.select_related("region").order_by("path") if scope.covers_path(row.path)]


def templates_kept(*, region_id: int | None, scope: Scope) -> list[Kept]:
    """Return every declared template as it stands in a region the caller keeps."""
    region = region_kept(region_id=region_id, scope=scope)
    return [kept_template(key=spec.key, region_id=region.region_id, scope=scope) for spec in template_specs()]


def region_kept(*, region_id: int | None, scope: Scope) -> RegionVersion:
    """Return a region whose templates the caller keeps, the widest without an id. Raises ``Forbidden`` for any other."""
    regions = regions_kept(scope=scope)
    found = next((one for one in regions if region_id in (None, one.region_id)), None)
    if found is None:
        raise Forbidden("template_outside_scope", "这里的文书模板不归您管。需要的话可向上级管理员申请。")
    return found


def kept_template(*, key: str, region_id: int, scope: Scope) -> Kept:
    """Return one template as it stands in a region the caller keeps. Raises ``NotFound``, ``Forbidden``."""
    spec, region = template_spec(key), region_kept(region_id=region_id, scope=scope)
    versions = Prefetch("versions", TemplateVersion.objects.order_by("-number"))
    own = DocumentTemplate.objects.filter(key=key, region_id=region_id).prefetch_related(versions).first()
    now = text_for(key=key, region_id=region_id)
    acts = own.acts.select_related("version")[:ACTS_SHOWN] if own else ()
    name = ""
    if now.region_id is not None:
        name = next((one.name for one in _line_of(region_id) if one.region_id == now.region_id), "")
    published = set(own.acts.exclude(version=None).values_list("version_id", flat=True)) if own else set()
    rows = tuple(own.versions.all()) if own else ()
    deletable = frozenset(row.pk for row in rows if row.pk not in published)
    return Kept(spec, region, own, rows, tuple(acts), now, name, deletable)


def version_kept(*, version_id: int, scope: Scope) -> TemplateVersion:
    """Return one uploaded version of a region the caller keeps. Raises ``NotFound``, ``Forbidden``."""
    found = TemplateVersion.objects.select_related("template").filter(pk=version_id).first()
    if found is None:
        raise NotFound("template_unknown", "没有找到这个版本的模板。")
    region_kept(region_id=found.template.region_id, scope=scope)
    return found


def sample_of(text: Text, format: Format) -> bytes:
    """Return a text filled with the declared sample."""
    return render_document(text, text.spec.sample, format)


def texts_for_owner(*, kind: str, region_id: int | None) -> Sequence[Text]:
    """Return what can be made of an owner of a kind in a region."""
    return [text_for(key=spec.key, region_id=region_id) for spec in template_specs(kind)]


def _published(key: str) -> QuerySet[DocumentTemplate]:
    return DocumentTemplate.objects.filter(key=key, published__isnull=False).select_related("published__template")


def _line_of(region_id: int | None) -> list[RegionVersion]:
    """Return a region and those above it in the published edition, the widest first."""
    published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
    own = published.filter(region_id=region_id).first() if region_id is not None else None
    if own is None:
        return list(published.filter(region__level=Level.CITY)[:1])
    codes = own.path.rstrip(".").split(".")
    paths = [".".join(codes[: end + 1]) + "." for end in range(len(codes))]
    return list(published.filter(path__in=paths).order_by("path"))


@cache
def _digest_of_source(path: Path) -> str:
    return digest_of(path)
