"""Writes of templates: upload a text, publish or delete it, go back to an older one or to the text above, and make documents."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import pghistory
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.access.models import User
from services.kernel.documents.actions import attach_document
from services.kernel.documents.checking import check_file
from services.kernel.documents.contents import delete_unnamed
from services.kernel.documents.models import DocumentTemplate, TemplateAct, TemplateVersion
from services.kernel.documents.names import plain_name
from services.kernel.documents.queries import Held, check_editable, owner_of
from services.kernel.documents.reasons import refusal
from services.kernel.documents.registry import template_spec
from services.kernel.documents.rendering.documents import (
    Format,
    Text,
    digest_of_data,
    fields_of_template,
    render_document,
)
from services.kernel.documents.spec import FileType, Purpose
from services.kernel.documents.store import incoming, keep, path_of
from services.kernel.documents.templates.queries import region_kept, text_for, version_kept

TEXT: Final = Purpose("template", "文书模板", frozenset({FileType.DOCX}), most_bytes=5_000_000)
LONGEST_NOTE: Final = 200


def upload_template(
    *, key: str, region_id: int, source: Path, name: str, scope: Scope, note: str = ""
) -> TemplateVersion:
    """Keep a Word file as the next version of a template in a region; it counts once it is published.

    It is checked as any upload, its tags are parsed, and a sample is made of it. Raises ``BadInput`` with what is wrong,
    ``NotFound``, ``Forbidden``.
    """
    spec, region = template_spec(key), region_kept(region_id=region_id, scope=scope)
    if len(note) > LONGEST_NOTE:
        raise BadInput("note_too_long", f"说明最多 {LONGEST_NOTE} 个字。")
    with incoming() as folder:
        target = folder / "template"
        checked = check_file(source, target, name=name, purpose=TEXT)
        fields = fields_of_template(target)
        if unknown := [one for one in fields if one not in {each.name for each in spec.fields}]:
            raise refusal("template_field_unknown", found="、".join(unknown)[:200])
        # A text that cannot be filled with the sample would fail in front of somebody later.
        render_document(Text(spec, target, "docx", ""), spec.sample, "docx")
        size, digest = target.stat().st_size, keep(target)
    with transaction.atomic():
        template, _ = DocumentTemplate.objects.get_or_create(key=key, region_id=region.region_id)
        DocumentTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        newest = template.versions.order_by("-number").first()
        if newest is not None and newest.sha256 == digest:
            return newest  # a double click, or the same file again
        number = (template.versions.aggregate(most=Max("number"))["most"] or 0) + 1
        return TemplateVersion.objects.create(
            template=template, number=number, name=checked.name, sha256=digest, size=size, fields=fields,
            note=note.strip(), uploaded_by=scope.actor,
        )  # fmt: skip


@transaction.atomic
def publish_template(*, version_id: int, scope: Scope) -> TemplateVersion:
    """Let one version count from now on, a newer or an older one; publishing what counts already changes nothing."""
    version, template = _locked(version_id, scope)
    if template.published_id != version.pk:
        template.published = version
        template.save(update_fields=["published"])
        TemplateAct.objects.create(template=template, version=version, actor=scope.actor)
    return version


@transaction.atomic
def delete_version(*, version_id: int, scope: Scope) -> TemplateVersion:
    """Delete a version that was never published, and return what it was; with its last one a region has no template of its own.

    Raises ``Conflict`` for one that was published, now or before: documents say that they were made of it. ``NotFound``,
    ``Forbidden``.
    """
    version, template = _locked(version_id, scope)
    if template.published_id == version.pk:
        raise Conflict(
            "template_in_force",
            f"第 {version.number} 版正在用，不能删除。不想再用，请点“停用本地模板，用上一级的”，或先发布别的版本。",
        )
    if template.acts.filter(version=version).exists():
        raise Conflict(
            "template_was_published",
            f"第 {version.number} 版发布过，以前的文书要有据可查，不能删除。它已停用，不再发布就不会用到。",
        )
    with pghistory.context(actor=scope.actor):
        TemplateVersion.objects.filter(pk=version.pk).delete()
    # A content that came within a day may be about to be named again; the check of files takes it later.
    transaction.on_commit(partial(delete_unnamed, [path_of(version.sha256)]))
    return version


@transaction.atomic
def withdraw_template(*, key: str, region_id: int, scope: Scope) -> None:
    """Let the text above count in a region again; its own versions stay. Raises ``Conflict`` when it has none published."""
    region_kept(region_id=region_id, scope=scope)
    template = (
        DocumentTemplate.objects.select_for_update(of=("self",))
        .filter(key=key, region_id=region_id, published__isnull=False)
        .first()
    )
    if template is None:
        raise Conflict("template_not_published", "这里没有发布过自己的模板，用的已经是上一级的。")
    template.published = None
    template.save(update_fields=["published"])
    TemplateAct.objects.create(template=template, version=None, actor=scope.actor)


def make_document(*, key: str, owner_id: str, format: Format, scope: Scope) -> Held:
    """Make a document of an owner by the template that counts in its region, and keep it as an attachment of it.

    The attachment says which text and data it was made of; made of the same again, it is the same attachment. Raises ``BadInput``
    naming a field that is missing, ``NotFound``, ``Forbidden``.
    """
    spec = template_spec(key)
    declared, owner = owner_of(kind=spec.owner_kind, owner_id=owner_id, scope=scope)
    check_editable(owner)
    text = text_for(key=key, region_id=owner.region_id)
    today = timezone.localdate()
    facts = {
        **(declared.facts(owner_id, scope) if declared.facts else {}),
        "生成日期": f"{today.year}年{today.month}月{today.day}日",
        "经办人": str(User.objects.filter(username=scope.actor).first() or scope.actor),
    }
    content = render_document(text, facts, format)
    type = FileType(format)
    made = {
        "template": key,
        "title": spec.title,
        "region": text.region_id,
        "number": text.number,
        "text_sha256": text.sha256,
        "data_sha256": digest_of_data(spec, facts),
    }
    return attach_document(
        kind=spec.owner_kind,
        owner_id=owner_id,
        content=content,
        type=type,
        name=plain_name(f"{spec.title}－{owner.title}".replace("/", "／"), type),
        made=made,
        scope=scope,
    )


def _locked(version_id: int, scope: Scope) -> tuple[TemplateVersion, DocumentTemplate]:
    """Return a version that is still there once nobody else writes to its template, and that template."""
    seen = version_kept(version_id=version_id, scope=scope)
    template = DocumentTemplate.objects.select_for_update(of=("self",)).get(pk=seen.template_id)
    return version_kept(version_id=version_id, scope=scope), template
