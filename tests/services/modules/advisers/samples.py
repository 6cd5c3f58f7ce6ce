"""One invented row of every ledger of the advisers in a region."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from geo.regions.models import Region
from geo.regions.queries import path_of
from geo.scope import Scope
from services.crypto.identifiers import new_id
from services.facilities.keeping import keep_facility
from services.modules.advisers.models import SITE_KIND, Adviser, LibraryPull, StaffingAlert, WorkRecord


@transaction.atomic
def write_rows(*, region: Region, scope: Scope) -> None:
    """Write a point in a region, an adviser there with one record of work, an alert, and a pull that was refused."""
    at = timezone.now()
    mark = new_id().hex[-12:]
    site = keep_facility(
        values={"kind_id": SITE_KIND, "name": f"示例养老顾问点{mark}", "address_text": "示例路1号"},
        inside=path_of(region.pk, scope=scope)[-1], mark=f"sample-{mark}", reason="示例", scope=scope,
    )  # fmt: skip
    adviser = Adviser.objects.create(
        site=site, name="示例顾问员", engaged="full", certificate=f"SAMPLE-{mark}", certified_on=at.date(), from_day=at.date()
    )  # fmt: skip
    WorkRecord.objects.create(
        number=f"GZ-{mark}", adviser=adviser, site=site, region_id=site.region_id or region.pk, on=at.date(), way="here",
        topic="policy", age_band="70s", minutes=20, summary="咨询长护险申请条件", result="answered", made_by=scope.actor,
    )  # fmt: skip
    StaffingAlert.objects.create(site=site, least=2, present=1, opened_at=at)
    LibraryPull.objects.create(state="refused", fault="示例")
