"""Reads of upkeep: lists of addresses to keep, one with all that is known of it, and the changes of each."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.db.models.functions import Collate

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Address, AddressAlias, AddressChange
from geo.addresses.parsing import normal_form, parse
from geo.addresses.upkeep.authority import check_edit, kept_by, may_edit
from geo.errors import BadInput, NotFound
from geo.imports.models import CURRENT, Family
from geo.regions.models import EditionState, Level, RegionVersion
from geo.regions.queries import regions_under
from geo.scope import Scope

LONGEST_QUERY: Final = 100
MOST_ON_A_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Some addresses and where the next ones begin; ``None`` when there are no more."""

    addresses: Sequence[Address]
    next: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One address with its aliases, its changes (newest first) and, when it was merged or split, what answers for it now.

    ``kept`` says that the scope keeps it: who changed it and why is told to those only, ``changes`` is empty for others.
    """

    address: Address
    aliases: Sequence[AddressAlias]
    changes: Sequence[AddressChange]
    successors: Sequence[Address]
    kept: bool
    may_edit: bool


def addresses_in(*, scope: Scope, q: str = "", region: str = "", cursor: str = "", limit: int = 50) -> Page:
    """Return the current addresses that a scope keeps, by normal form, those whose writing begins with ``q`` in a region.

    ``q`` is read by the grammar, so 国权路　１２号 finds 国权路12号; what it cannot read is taken as the beginning of the normal
    form, a number as the id too. Raises ``BadInput``, ``Forbidden``, ``NotFound``.
    """
    check_edit(scope)
    if len(q) > LONGEST_QUERY:
        raise BadInput("query_too_long", f"搜索内容最多 {LONGEST_QUERY} 个字。", parameter="q")
    if not 1 <= limit <= MOST_ON_A_PAGE:
        raise BadInput("limit_invalid", f"每页条数要在 1 到 {MOST_ON_A_PAGE} 之间。", parameter="limit")
    published = published_now()
    rows = Address.objects.filter(CURRENT, kept_by(scope), source__in=published.ids(Family.ADDRESSES))
    if region:
        rows = rows.filter(region__in=regions_under(region, scope=scope).values("region_id"))
    rows = rows.annotate(listed=Collate("normal", "C"))
    if q.strip():
        rows = rows.filter(called(q.strip(), field="listed"))
    if cursor:
        normal, pk = _opened(cursor)
        rows = rows.filter(listed__gte=normal).exclude(listed=normal, pk__lte=pk)
    found = list(rows.select_related("source", "community").order_by("listed", "pk")[: limit + 1])
    more = len(found) > limit
    return Page(found[:limit], _closed(found[limit - 1]) if more else None)


def address_detail(address_id: int, *, scope: Scope) -> Detail:
    """Return an address, retired ones too, with its aliases and history; raises ``NotFound``, ``Forbidden``."""
    check_edit(scope)
    address = Address.objects.select_related("source", "community").filter(pk=address_id).first()
    if address is None:
        raise NotFound("address_unknown", "没有找到这个地址，请核对编号。")
    kept = may_edit(scope, address.region_id)
    led = AddressAlias.objects.filter(former=address).select_related("address").order_by("address")
    return Detail(
        address=address,
        aliases=list(AddressAlias.objects.filter(address=address).order_by("kind", "normal", "pk")),
        changes=changes_of([address_id]) if kept else [],
        successors=[alias.address for alias in led],
        kept=kept,
        may_edit=kept and address.retired_at is None,
    )


def changes_of(address_ids: Sequence[int]) -> Sequence[AddressChange]:
    """Return the changes that touched one of these addresses, newest first, with what undid them."""
    changes = AddressChange.objects.filter(addresses__overlap=list(address_ids))
    return list(changes.select_related("undone_by", "undoes").order_by("-pk"))


def doors_called(normal: str, *, near: Address) -> list[Address]:
    """Return the current published addresses with a normal form in the district that an address lies in, itself included."""
    rows = Address.objects.filter(CURRENT, normal=normal, source__in=published_now().ids(Family.ADDRESSES))
    published = RegionVersion.objects.filter(edition__state=EditionState.PUBLISHED)
    path = published.filter(region=near.region_id).values_list("path", flat=True).first()
    district = ".".join((path or "").split(".")[:2])
    if district and published.filter(level=Level.DISTRICT, path=f"{district}.").exists():
        rows = rows.filter(region__in=published.filter(path__startswith=f"{district}.").values("region_id"))
    return list(rows.order_by("pk")[:20])


def called(q: str, *, field: str = "normal") -> Q:
    """Return the condition that the writing of an address, or one of its aliases, begins with a text; a number is its id too.

    ``field`` is the column or annotation that holds the normal form.
    """
    parts = parse(q, names_of(published_now()).gazetteer)
    beginnings = {q, normal_form(parts)} if parts.base else {q}
    # the last figure may still be growing: 国权路10 is the beginning of 国权路100弄
    beginnings |= {each[:-1] for each in beginnings if each.endswith("号") and not q.endswith("号")}
    found = Q(pk=int(q)) if q.isascii() and q.isdecimal() and len(q) < 16 else Q(pk__in=[])
    for beginning in beginnings:
        found |= Q(**{f"{field}__startswith": beginning})
    # asked for first: a condition over two tables would keep the index of the addresses from being used
    known_as = list(AddressAlias.objects.filter(normal__in=beginnings).values_list("address_id", flat=True)[:1_000])
    return found | Q(pk__in=known_as)


def _closed(address: Address) -> str:
    return base64.urlsafe_b64encode(f"{address.pk} {address.normal}".encode()).decode()


def _opened(cursor: str) -> tuple[str, int]:
    try:
        pk, _, normal = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return normal, int(pk)
    except (ValueError, binascii.Error):
        raise BadInput("cursor_invalid", "翻页标记不对，请从第一页重新开始。", parameter="cursor") from None
