"""The name of a file as strangers give it, made harmless: no path, no unseen signs, an ending that tells the truth."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from services.kernel.documents.spec import FileType

LONGEST: Final = 120
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (direction overrides, zero width), surrogate, private and unassigned signs, and breaks of lines."""
_RESERVED: Final = re.compile(r'[<>:"|?*]')
ENDINGS: Final = {
    "jpg": "image", "jpeg": "image", "jfif": "image", "png": "image", "webp": "image",
    "pdf": "pdf", "docx": "docx", "xlsx": "xlsx",
}  # fmt: skip


def plain_name(given: str, type: FileType) -> str:
    """Return the bare name of an uploaded file, 120 signs at most, ending as its content says."""
    name = given.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in name if unicodedata.category(char) not in _UNSEEN)
    stem = _RESERVED.sub("_", unicodedata.normalize("NFC", seen)).rstrip(" .")
    if ending(stem) in ENDINGS:
        stem = stem.rpartition(".")[0]
    stem = stem.strip(" .") or "文件"
    return stem[: LONGEST - len(type.suffix)].rstrip(" .") + type.suffix


def ending(name: str) -> str:
    """Return what follows the last dot of a name, in small letters, '' when there is none."""
    _, dot, last = name.strip().rpartition(".")
    return last.lower() if dot else ""


def ending_contradicts(name: str, type: FileType) -> bool:
    """Say whether the ending of a name claims another family of files than the content is; no ending claims nothing."""
    seen = "".join(char for char in name if unicodedata.category(char) not in _UNSEEN)
    claimed = ENDINGS.get(ending(seen))
    return claimed is not None and claimed != type.family
