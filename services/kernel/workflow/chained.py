"""The timelines of cases as a Merkle tree."""

from __future__ import annotations

from services.crypto.chain import ChainedTable

CHAINED = (
    ChainedTable(
        "case_events",
        "办件轨迹",
        "kernel_workflow.CaseEvent",
        ("case_id", "at", "act", "actor_id", "behalf_of_id", "step", "what", "opinion", "detail", "open_to_applicant"),
    ),
)
