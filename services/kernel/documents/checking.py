"""An uploaded file before it is kept: its size, its content and its name, against what its purpose allows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.errors import TooLarge
from services.kernel.documents.apart import ask_apart
from services.kernel.documents.names import ending_contradicts, plain_name
from services.kernel.documents.reasons import Refused, refusal
from services.kernel.documents.spec import MEGABYTE, FileType, Purpose


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its type, its harmless name, and what is known of it (pages, or width and height in pixels)."""

    type: FileType
    name: str
    facts: dict[str, Any]


def check_file(source: Path, target: Path, *, name: str, purpose: Purpose) -> Checked:
    """Check a file and write what is to be kept of it to ``target``; images are written anew without metadata.

    Raises ``BadInput`` or ``TooLarge`` with a code of ``reasons``; then nothing of ``target`` is to be used.
    """
    types = "、".join(type.label for type in FileType if type in purpose.types)
    size = source.stat().st_size
    if size > purpose.most_bytes:
        said = f"文件有 {size / MEGABYTE:.1f} MB，最多 {purpose.most_bytes // MEGABYTE} MB。请压缩或分成几份再上传。"
        raise TooLarge("file_too_large", said, most=purpose.most_bytes)
    request = {
        "source": str(source.resolve()),
        "target": str(target.resolve()),
        "types": [type.value for type in purpose.types],
    }
    try:
        found = ask_apart("services.kernel.documents.inspection.apart", request)
    except Refused as refused:
        raise refusal(refused.code, found=refused.found, types=types) from refused
    type = FileType(found.pop("type"))
    if ending_contradicts(name, type):
        raise refusal("file_name_contradicts", found=type.label)
    return Checked(type, plain_name(name, type), found)
