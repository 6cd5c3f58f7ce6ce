"""Which files attachments and templates keep, for those who seal, check and count them."""

from __future__ import annotations

from collections.abc import Iterator

from geo.kept import KeptFolder
from services.kernel.documents.contents import named_digests


def _contents() -> Iterator[str]:
    return (f"{digest[:2]}/{digest[2:4]}/{digest}" for digest in named_digests())


KEPT = (
    KeptFolder("attachments", "附件和文书", _contents),
    KeptFolder("previews", "文件预览图", lambda: (), drawn=True),
)
