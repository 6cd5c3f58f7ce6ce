"""The paths of files, which belong to forms, cases and records."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (SealedPaths("files", "附件", Matter.OTHER, ("/files", "/desk/files")),)
