"""The six demo accounts, one for each kind of user; they work only beside invented data.

Their password is known to everybody, so the very act that takes the last invented row off the map stops them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from geo.errors import Conflict
from geo.imports.actions import hold_publishing
from geo.imports.queries import shows_invented
from geo.regions.models import Region
from services.access.actions import declare_roles, grant_role, record_audit, stop_keys
from services.access.models import AuditAct, Grant, Organisation, User, UserKind
from services.crypto.port import Purpose
from services.crypto.sealing import newest_id

GRANTED_BY = "demo"
"""Who gave the demo accounts their roles; it tells them from an account of the same name that somebody made."""
DEMO_PASSWORD = "quantu-demo-2026"


class DemoAccount(NamedTuple):
    """An account to make: its name, its role and the region code the role is given over."""

    username: str
    display_name: str
    role: str
    region: str
    organisation: str = ""


DEMO_ACCOUNTS = (
    DemoAccount("shi", "市级管理员（演示）", "city_manager", "310000"),
    DemoAccount("qu", "黄浦区管理员（演示）", "district_manager", "310101"),
    DemoAccount("jiezhen", "老西门街道经办（演示）", "street_clerk", "310101"),
    DemoAccount("jigou", "机构负责人（演示）", "institution_head", "310101", "小石库门托育园（演示）"),
    DemoAccount("guihua", "规划人员（演示）", "planner", "310000"),
    DemoAccount("jumin", "居民（演示）", "resident", "310101"),
)
STREET_NAME = "老西门街道"


def demo_users() -> QuerySet[User]:
    """Return the demo accounts that were made here, in the order of ``DEMO_ACCOUNTS``, whether they work or not."""
    names = [account.username for account in DEMO_ACCOUNTS]
    return User.objects.filter(username__in=names, grants__granted_by=GRANTED_BY).distinct().order_by("pk")


def working_demo_users() -> list[User]:
    """Return the demo accounts that can sign in now: none where nothing invented is published."""
    return list(demo_users().filter(is_active=True)) if shows_invented() else []


@transaction.atomic
def make_demo_accounts() -> list[User]:
    """Make the accounts with their grants, or put back what they should be; refused where nothing invented is shown.

    An account of one of these names that somebody else made is left alone.
    """
    hold_publishing()
    if not shows_invented():
        raise Conflict("demo_on_real_data", "这里发布的是真实数据，不再建立演示账号。")
    declare_roles()
    for account in DEMO_ACCOUNTS:
        _make(account)
    return list(demo_users())


@transaction.atomic
def settle_demo_accounts() -> str:
    """Let the demo accounts work exactly while something invented is published, and return what was done, '' when nothing was.

    Stopping one ends its sessions and its keys for good: it comes back with a new password hash and without keys.
    """
    shown = shows_invented()
    turned = list(demo_users().filter(is_active=not shown))
    for user in turned:
        user.is_active = shown
        if shown:
            user.set_password(DEMO_PASSWORD)
        else:
            # a session carries a digest of the password hash, and ends with it
            user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])
        record_audit(act=AuditAct.ACCOUNT_ENABLED if shown else AuditAct.ACCOUNT_DISABLED, actor="system",
                     detail={"account": user.username, "reason": "demo"})  # fmt: skip
    if not shown:
        stop_keys(turned)
    if not turned:
        return ""
    return ENABLED if shown else DISABLED


ENABLED = "又有演示数据，演示账号已重新启用。"
DISABLED = (
    "已没有演示数据，演示账号已全部停用；请用 ./run manage staff_account 账号名 --role city_manager 建立正式的管理员。"
)


def _make(account: DemoAccount) -> None:
    facts = {
        "display_name": account.display_name,
        "kind": UserKind.RESIDENT if account.role == "resident" else UserKind.STAFF,
    }
    first = {**facts, "password": lambda: _hashed(newest_id(Purpose.SEAL))}
    user, created = User.objects.get_or_create(username=account.username, defaults=first)
    if not created:
        if not demo_users().filter(pk=user.pk).exists():
            return
        for name, value in facts.items():
            setattr(user, name, value)
        user.save()
    region = _region(account)
    organisation = None
    if account.organisation:
        organisation, _ = Organisation.objects.get_or_create(
            name=account.organisation, defaults={"kind": "nursery", "region": region}
        )
    if not Grant.objects.filter(user=user, role_id=account.role).exists():
        grant_role(
            user=user,
            role=account.role,
            granted_by=GRANTED_BY,
            region=None if organisation else region,
            organisation=organisation,
        )


@cache
def _hashed(key_id: str) -> str:
    """Return one hash for all six under the key in use: hashing is slow on purpose, and the password is printed anyway."""
    return make_password(DEMO_PASSWORD)


def _region(account: DemoAccount) -> Region:
    published = Region.objects.filter(versions__edition__state="published")
    if account.username == "jiezhen":
        street = published.filter(versions__name=STREET_NAME, versions__level="street").first()
        if street is not None:
            return street
    region = published.filter(versions__code=account.region).first()
    if region is None:
        raise Conflict("regions_missing", "还没有发布行政区划，先运行 ./run 载入城市。")
    return region
