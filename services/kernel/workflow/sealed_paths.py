"""The paths on which matters are applied for, handled and watched over."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (
    SealedPaths("applications", "我的申请", Matter.FILLING, ("/my/cases",)),
    SealedPaths("cases", "办件办理和监督", Matter.SUPERVISION, ("/desk/cases",)),
)
