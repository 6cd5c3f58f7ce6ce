"""The six demo accounts, one for each kind of user; they exist only beside invented data."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction

from geo.errors import Conflict
from geo.imports.queries import shows_invented
from geo.regions.models import Region
from services.access.actions import declare_roles, grant_role
from services.access.models import Grant, Organisation, User

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


@transaction.atomic
def make_demo_accounts() -> list[User]:
    """Make the accounts with their grants, or put back what they should be; refused where nothing invented is shown."""
    if not shows_invented():
        raise Conflict("demo_on_real_data", "这里发布的是真实数据，不再建立演示账号。")
    declare_roles()
    return [_make(account) for account in DEMO_ACCOUNTS]


def _make(account: DemoAccount) -> User:
    user, created = User.objects.get_or_create(username=account.username)
    if created:
        user.set_password(DEMO_PASSWORD)
    user.display_name = account.display_name
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
            granted_by="demo",
            region=None if organisation else region,
            organisation=organisation,
        )
    return user


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
