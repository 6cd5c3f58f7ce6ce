"""What rotation of keys must seal anew of visits and check-ins."""

from __future__ import annotations

from services.crypto.rotation import Renewal, SealedTable, renew_columns
from services.fencing.checkins.models import CheckInFacts, Visit
from services.fencing.checkins.sealing import DETAILS, FACTS


def _renew_visit(row: Visit, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.uid, texts={"details": DETAILS})


def _renew_facts(row: CheckInFacts, renewal: Renewal) -> None:
    renew_columns(row, renewal, owner=row.owner, texts={"sealed": FACTS})


SEALED = (
    SealedTable("checkins.Visit", "上门任务的地址", ("details",), lambda row: (row.details,), _renew_visit),
    SealedTable("checkins.CheckInFacts", "打卡位置", ("sealed",), lambda row: (row.sealed,), _renew_facts),
)
