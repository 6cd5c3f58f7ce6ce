"""Files in any page: ``{% load documents %}{% attachments_of "facilities" place.id %}`` shows the panel of an owner's files."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from geo.errors import NotFound
from services.kernel.documents.models import Attachment
from services.kernel.documents.spec import MEGABYTE
from web.doors.files.pages import panel_of

register = template.Library()


@register.inclusion_tag("desk/attachments_panel.html", takes_context=True)
def attachments_of(context: dict[str, Any], kind: str, owner_id: object) -> dict[str, Any]:
    """Show the files of an owner, and what the caller may do with them; nothing for an owner the caller may not see."""
    request = context["request"]
    try:
        shown = panel_of(request, kind, str(owner_id))
    except NotFound:
        return {"hidden": True}
    return {**shown, "request": request, "csrf_token": context.get("csrf_token", "")}


@register.inclusion_tag("includes/upload.html", takes_context=True)
def upload_form(context: dict[str, Any], folder: dict[str, Any], kind: str, owner_id: str) -> dict[str, Any]:
    """Show the upload of one purpose of an owner."""
    purpose = folder["purpose"]
    size = f"每个不超过 {purpose.most_bytes // MEGABYTE} MB"
    return {
        "action": reverse("file-upload"),
        "hidden": {"kind": kind, "owner_id": owner_id, "purpose": purpose.key},
        "accept": folder["accept"],
        "label": f"选择{purpose.name}，或拖到这里",
        "help": f"{purpose.help}{folder['types']}，{size}。",
        "multiple": True,
        "field_id": f"upload-{purpose.key}-{owner_id}",
        "csrf_token": context.get("csrf_token", ""),
    }


@register.inclusion_tag("includes/upload.html", takes_context=True)
def replace_form(context: dict[str, Any], row: Attachment, accept: str) -> dict[str, Any]:
    """Show the upload of the next version of a file."""
    return {
        "action": reverse("file-replace", args=[row.pk]),
        "hidden": {},
        "accept": accept,
        "label": "选择新的文件，或拖到这里",
        "help": "上传后成为最新版，旧版仍可查看。",
        "multiple": False,
        "field_id": "upload-replace",
        "csrf_token": context.get("csrf_token", ""),
    }
