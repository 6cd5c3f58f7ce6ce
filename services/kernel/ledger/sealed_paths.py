"""The paths of ledgers: records that are watched over, and figures and reports that are taken of them."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (
    SealedPaths("ledgers", "台账监督", Matter.SUPERVISION, ("/desk/ledgers", "/desk/imports")),
    SealedPaths("reports", "台账统计报表", Matter.STATISTICS, ("/desk/ledgers/*/export", "/desk/ledgers/*/print")),
)
