"""What is written down when a row is not as it was signed."""

from __future__ import annotations

from services.access.actions import record_audit
from services.access.models import AuditAct
from services.crypto.reports import Finding


def record_alarm(finding: Finding) -> None:
    """Write an audit entry that names the row."""
    record_audit(
        act=AuditAct.TAMPERED,
        actor="system",
        detail={"code": finding.code, "subject": finding.subject, "text": finding.text, "row": str(finding.row)},
    )
