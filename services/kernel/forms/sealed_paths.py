"""The paths on which people fill in forms, and what was filled in is read."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (
    SealedPaths("forms", "表单填报", Matter.FILLING, ("/forms", "/api/v1/forms")),
    SealedPaths("submissions", "填报数据管理", Matter.FILLING, ("/desk/forms/submissions",)),
)
