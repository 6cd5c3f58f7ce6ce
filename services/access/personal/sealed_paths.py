"""The paths on which people read and take away what is kept of them."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (SealedPaths("own_data", "我的个人信息", Matter.OTHER, ("/my/data",)),)
