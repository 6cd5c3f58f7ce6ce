"""The visits that services for elders are made of: subsidised care at home, and care beds at home."""

from services.fencing.checkins.spec import VisitKind

VISIT_KINDS = (
    VisitKind("care_subsidy", "养老服务补贴上门"),
    VisitKind("home_bed", "家庭照护床位上门", keeps_photo=True),
)
