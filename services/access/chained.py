"""The audit log as a Merkle tree."""

from __future__ import annotations

from services.crypto.chain import ChainedTable

CHAINED = (ChainedTable("audit", "审计记录", "access.AuditEntry", ("at", "act", "actor", "address", "path", "detail")),)
