"""Reads of checks: the newest whole one of a place, and its findings in the regions that a scope keeps."""

from __future__ import annotations

from django.db.models import QuerySet

from geo.addresses.models import AddressAudit, AuditFinding, FindingKind
from geo.addresses.upkeep.authority import check_edit, kept_by
from geo.errors import BadInput
from geo.scope import Scope


def newest_audit(*, scope: Scope) -> AddressAudit | None:
    """Return the newest whole check that holds all that a scope keeps, else the newest of a part of it; ``None`` before any."""
    check_edit(scope)
    whole = list(AddressAudit.objects.exclude(ended_at=None).order_by("-pk")[:100])
    around = [audit for audit in whole if any(path.startswith(audit.path) for path in scope.paths)]
    inside = [audit for audit in whole if scope.covers_path(audit.path)]
    return next(iter([*around, *inside]), None)


def findings_in(audit: AddressAudit, *, scope: Scope, kind: str = "") -> QuerySet[AuditFinding]:
    """Return the findings of a check in the regions that a scope keeps, by kind and the worst first.

    Raises ``BadInput`` for a kind that there is not.
    """
    check_edit(scope)
    if kind and kind not in FindingKind.values:
        raise BadInput("kind_unknown", f"种类可选：{'、'.join(FindingKind.values)}。", parameter="kind")
    rows = AuditFinding.objects.filter(kept_by(scope), audit=audit)
    return (rows.filter(kind=kind) if kind else rows).order_by("kind", "-measure", "pk")
