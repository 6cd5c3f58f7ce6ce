"""The child that looks at one uploaded file: tells its type, checks it, and writes what is to be kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from services.kernel.documents.apart import answer_apart
from services.kernel.documents.inspection.images import write_anew
from services.kernel.documents.inspection.kinds import type_of
from services.kernel.documents.inspection.office import check_office
from services.kernel.documents.inspection.pdfs import check_pdf
from services.kernel.documents.reasons import Refused
from services.kernel.documents.spec import IMAGES, FileType


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Check the file ``source``, write what is kept of it to ``target``, and return its type and what is known of it."""
    source, target = Path(request["source"]), Path(request["target"])
    type = type_of(source)
    if type.value not in request["types"]:
        raise Refused("file_type_refused", type.label)
    if type in IMAGES:
        return {"type": type.value, **write_anew(source, target, type)}
    facts = check_pdf(source) if type is FileType.PDF else check_office(source)
    shutil.copyfile(source, target)
    return {"type": type.value, **facts}


if __name__ == "__main__":
    answer_apart(inspect)
