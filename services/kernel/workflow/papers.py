"""The certificates of all matters in one place (申请材料): what each asks for in a region, and setting that in its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.kernel.forms.answering.linking import is_required
from services.kernel.forms.composing.arranging import add_items, add_section, change_item, remove_item
from services.kernel.forms.library.queries import library_now
from services.kernel.forms.models import FormVersion
from services.kernel.forms.registry import form_named
from services.kernel.forms.spec import Certificate, Paper
from services.kernel.forms.versions.actions import begin_draft, publish_version, save_draft
from services.kernel.forms.versions.queries import region_to_compose, standing_form
from services.kernel.workflow.registry import matter_named, matters
from services.kernel.workflow.spec import MatterSpec

MUST, MAY = "must", "may"
HEADING = "材料"


@dataclass(frozen=True)
class Asked:
    """A certificate that a matter asks for: whether it must be there, is kept by the city, or hangs on an answer."""

    certificate: Certificate
    must: bool
    fixed: bool
    hangs: bool


def papers_of(spec: MatterSpec, entry: str, region_id: int) -> list[Asked]:
    """Return the certificates that a matter's form asks for in a region for an entry; none for a matter without a form."""
    if not spec.form:
        return []
    form = standing_form(form=spec.form, entry=entry, region_id=region_id).form
    return [
        Asked(each.certificate, is_required(each), each.fixed, each.shown is not None)
        for each in form.items()
        if isinstance(each, Paper)
    ]


def papers_of_all(region_id: int) -> list[tuple[MatterSpec, str, str, list[Asked]]]:
    """Return all matters that have a form: the matter, the entry with its name, and what it asks for in a region."""
    return [
        (spec, entry.key, entry.name, papers_of(spec, entry.key, region_id))
        for spec in matters().values()
        if spec.form
        for entry in form_named(spec.form).entries
    ]


@transaction.atomic
def set_papers(
    *, matter: str, entry: str, region: str, chosen: Mapping[str, str], note: str = "", scope: Scope
) -> FormVersion:
    """Let a matter ask for these certificates in a region from today: by code ``must`` or ``may``; the others are taken out.

    It is a new version of the region's form, and all else of the form stays. Needs what composing forms needs. Raises
    ``BadInput`` for a certificate that is not in the catalogue, or that the city keeps, ``Conflict`` while a draft is open.
    """
    spec = matter_named(matter)
    known = library_now().certificates
    if set(chosen) - known.keys() or set(chosen.values()) - {MUST, MAY}:
        raise BadInput("certificate_unknown", "请从材料目录里选。")
    place = region_to_compose(region, scope=scope)
    if FormVersion.objects.filter(form=spec.form, entry=entry, region=place.region_id, state="draft").exists():
        raise Conflict("draft_open", "这张表单有一份没有发布的草稿，请先在“表单”里发布或放弃它。")
    before = {each.certificate.code: each for each in papers_of(spec, entry, place.region_id)}
    kept = [each.certificate.name for code, each in before.items() if each.fixed and code not in chosen]
    if kept:
        raise BadInput("certificate_fixed", f"“{kept[0]}”是全市必交的，不能去掉。")
    draft = begin_draft(form=spec.form, entry=entry, region=region, scope=scope)
    data: Mapping[str, Any] = draft.composition
    for code in before.keys() - chosen.keys():
        data = remove_item(data, code)
    data = _added(data, [code for code in chosen if code not in before], known)
    for code, how in chosen.items():
        if code not in before or before[code].must != (how == MUST):
            data = change_item(data, code, {"always": how == MUST})
    draft = save_draft(version_id=draft.pk, composition=data, seen=draft.version, scope=scope)
    return publish_version(version_id=draft.pk, seen=draft.version, note=note or "调整申请材料", scope=scope)


def _added(data: Mapping[str, Any], codes: list[str], known: Mapping[str, Certificate]) -> Mapping[str, Any]:
    """Return a composition with certificates added: to the last section that has some, else to a new one."""
    if not codes:
        return data
    sections = data.get("sections", [])
    holding = [at for at, one in enumerate(sections) if any(item["key"] in known for item in one.get("items", ()))]
    if holding:
        return add_items(data, holding[-1], codes)
    return add_items(add_section(data, HEADING), len(sections), codes)
