"""The store against the rows: contents that no row names, rows whose content is gone, and contents that have changed on disk."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Q

from geo.errors import Conflict
from geo.kept import INCOMING
from services.kernel.documents.models import Attachment, ScanState, TemplateVersion
from services.kernel.documents.store import contents_folder, kept, kept_digest, path_of, previews_folder

GRACE_SECONDS: Final = 24 * 3600.0
"""A content younger than this may belong to an upload that is not written down yet."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sweep found; ``orphans`` and their bytes are deleted when it was told to, ``spoiled`` and ``missing`` never."""

    contents: int = 0
    orphans: list[Path] = field(default_factory=list)
    orphan_bytes: int = 0
    spoiled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Say whether every content that a row names is there and unchanged."""
        return not self.spoiled and not self.missing


def sweep(*, commit: bool = False, verify: bool = True, grace: float = GRACE_SECONDS) -> Findings:
    """Compare the store with the rows, reading every content when ``verify``; delete orphans when ``commit``.

    What the scanner refused counts as an orphan after the grace: nobody may open it again.
    """
    before = time.time() - grace
    lying = {path.name: path for path in kept()}
    # The rows are read after the files: a content that comes in between is in no list, and stays.
    named = named_digests()
    orphans = [path for digest, path in lying.items() if digest not in named and path.stat().st_mtime < before]
    orphans += _left_behind(before)
    found = Findings(
        contents=len(lying),
        orphans=sorted(orphans),
        orphan_bytes=sum(path.stat().st_size for path in orphans),
        spoiled=sorted(one for one in lying if one in named and verify and _spoiled(lying[one])),
        missing=sorted(one for one in named if not path_of(one).exists()),
    )
    if commit:
        delete_unnamed(found.orphans, grace=grace)
    return found


def tidy(*, grace: float = GRACE_SECONDS) -> int:
    """Delete what can be made again or never became anything: old drawings and uploads that were cut off; return how many."""
    old = _left_behind(time.time() - grace)
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def named_digests(among: Collection[str] | None = None) -> set[str]:
    """Return the digests that rows name, of some or of all; what the scanner refused is named by nobody."""
    asked = Q() if among is None else Q(sha256__in=list(among))
    rows = Attachment.objects.filter(asked).exclude(state=ScanState.REFUSED).values_list("sha256", flat=True)
    return {*rows.distinct().iterator(), *TemplateVersion.objects.filter(asked).values_list("sha256", flat=True)}


def delete_unnamed(paths: Collection[Path], *, grace: float = GRACE_SECONDS) -> int:
    """Delete those of some contents that no row names and that are older than the grace, drawings too; return how many."""
    before, gone = time.time() - grace, 0
    again = named_digests({path.name for path in paths})
    for path in paths:
        # An upload of the same content may have come meanwhile: it renews the time of the file before it writes its row.
        if path.name not in again and path.exists() and path.stat().st_mtime < before:
            path.unlink()
            gone += 1
            for drawing in (previews_folder() / path.name[:2]).glob(f"{path.name}-*"):
                drawing.unlink(missing_ok=True)
    return gone


def _spoiled(path: Path) -> bool:
    try:
        return kept_digest(path) != path.name
    except Conflict:
        return True


def _left_behind(before: float) -> list[Path]:
    """Return what uploads that were cut off left in the waiting folder, and pages that were drawn some time ago."""
    folders = (contents_folder() / INCOMING, Path(settings.MEDIA_ROOT) / INCOMING, previews_folder())
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.stat().st_mtime < before]
