"""Reads of the templates of matters and of the catalogue: what is written down of each, and what is offered where."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from geo.errors import NotFound
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow.models import CatalogueEntry, MatterTemplate
from services.kernel.workflow.registry import matters
from services.kernel.workflow.spec import MatterSpec


def templates_kept() -> QuerySet[MatterTemplate]:
    """Return all templates, in the order of their codes."""
    return MatterTemplate.objects.order_by("code")


def template_named(code: str) -> MatterTemplate:
    """Return a template by its code. Raises ``NotFound``."""
    row = MatterTemplate.objects.filter(code=code).first()
    if row is None:
        raise NotFound("template_unknown", "没有这个事项模板。")
    return row


def earlier_wordings(template: MatterTemplate) -> list[Any]:
    """Return how a template read before, the newest first."""
    return list(template.events.order_by("-pgh_id"))


def entries_of(region_id: int) -> list[CatalogueEntry]:
    """Return the catalogue that holds in a region, in its order: of each template the line of the nearest region that has one."""
    chain = chain_of(region_id)
    rows = CatalogueEntry.objects.filter(region__in=chain, template__active=True).select_related("template")
    nearest: dict[int, CatalogueEntry] = {}
    for row in sorted(rows, key=lambda each: chain.index(each.region_id)):
        nearest.setdefault(row.template_id, row)
    return sorted(nearest.values(), key=lambda row: (row.heading, row.position, row.template.code))


def guide_to(matter: str) -> MatterTemplate | None:
    """Return the template of a declared matter that is in use, None where nobody wrote one."""
    return MatterTemplate.objects.filter(matter=matter, active=True).first()


def offered_online(region_id: int) -> list[MatterSpec]:
    """Return the matters that people may apply for by themselves: those the catalogue offers, and those it does not know."""
    shut = {row.template.matter for row in entries_of(region_id) if not row.offered}
    order = {row.template.matter: at for at, row in enumerate(entries_of(region_id))}
    found = [spec for spec in matters().values() if spec.applicants and spec.key not in shut]
    return sorted(found, key=lambda spec: order.get(spec.key, len(order)))


def is_offered(matter: str, region_id: int) -> bool:
    """Say whether the catalogue of a region offers a matter, or does not know it."""
    return all(row.offered for row in entries_of(region_id) if row.template.matter == matter)
