"""Writes of checks: begin one, keep what a step found, end it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils import timezone

from geo.addresses.models import AddressAudit, AuditFinding
from geo.addresses.upkeep.audit.findings import Finding, Tolerances
from geo.crs.codes import CGCS2000

MOST_KEPT: Final = 20_000
"""Findings of one kind that are kept, the worst ones; all are counted."""
KEPT_AUDITS: Final = 10


def begin_audit(*, job_id: uuid.UUID, actor: str, path: str) -> AddressAudit:
    """Begin a check of what lies under a region path; the oldest checks beyond ten of the same place go."""
    audit = AddressAudit.objects.create(
        job=job_id, actor=actor, path=path, began_at=timezone.now(), tolerances=asdict(Tolerances())
    )
    old = AddressAudit.objects.filter(path=path).order_by("-pk").values_list("pk", flat=True)[KEPT_AUDITS:]
    AddressAudit.objects.filter(pk__in=list(old)).delete()
    return audit


@transaction.atomic
def keep_findings(*, audit: AddressAudit, findings: Iterable[Finding], looked_at: dict[str, int]) -> int:
    """Keep what one step found, the worst of each kind, and count all of it; return how many there were."""
    ordered = sorted(findings, key=lambda each: (each.kind, -each.measure, each.message))
    counts: Counter[str] = Counter()
    rows = []
    for each in ordered:
        counts[each.kind] += 1
        if counts[each.kind] <= MOST_KEPT:
            point = Point(each.lon, each.lat, srid=CGCS2000)
            rows.append(
                AuditFinding(
                    audit=audit,
                    kind=each.kind,
                    message=each.message[:400],
                    measure=each.measure,
                    unit=each.unit,
                    subjects=each.subjects,
                    geom=point,
                    region_id=each.region_id,
                )
            )
    AuditFinding.objects.bulk_create(rows, batch_size=2_000)
    audit.counts = {**audit.counts, **counts}
    audit.looked_at = {**audit.looked_at, **looked_at}
    audit.save()
    return sum(counts.values())


def end_audit(*, audit: AddressAudit) -> None:
    """Mark a check as whole: only then is it shown."""
    audit.ended_at = timezone.now()
    audit.save(update_fields=["ended_at"])
