"""Two people at one address: who saves says which version they have seen, and is told what changed since."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from geo.addresses.models import Act, Address, AddressChange
from geo.addresses.upkeep.snapshots import differences
from geo.errors import BadInput, Conflict

_FORM = "%Y%m%d%H%M%S%f"


def version_of(address: Address) -> str:
    """Return the version of an address: a text that every act and every import that changes it makes another."""
    return address.updated_at.astimezone(dt.UTC).strftime(_FORM)


def check_version(address: Address, version: str | None) -> None:
    """Raise ``Conflict``, saying what changed, when an address is no longer what the caller has seen."""
    if version is None or version == version_of(address):
        return
    try:
        seen = dt.datetime.strptime(version, _FORM).replace(tzinfo=dt.UTC)
    except ValueError:
        raise BadInput("version_invalid", "版本号不对，请重新打开这个地址再改。", parameter="version") from None
    since = AddressChange.objects.filter(addresses__contains=[address.pk], at__gt=seen).order_by("pk")
    # a change is noted a moment after the version it made
    newer = [change for change in since if change.after[str(address.pk)]["version"] > version]
    said = [last_change_said(change, address.pk) for change in newer]
    what = "；".join(said) if said else "导入的数据更新了它"
    raise Conflict(
        "address_changed",
        f"您打开之后，这个地址又改过了：{what}。请核对后重新保存。",
        changes=said,
        version=version_of(address),
    )


def last_change_said(change: AddressChange, address_id: int | None = None) -> str:
    """Return a change in one line: who, when, what, and what became what."""
    when = timezone.localtime(change.at).strftime("%-m月%-d日 %H:%M")
    key = str(address_id)
    found = differences(change.before.get(key), change.after.get(key)) if key in change.after else []
    what = "，".join(f"{one.name}由“{one.before}”改为“{one.after}”" for one in found)
    return f"{change.actor} {when} {Act(change.act).label}{'，' + what if what else ''}"
