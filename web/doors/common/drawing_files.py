"""Files of drawn areas as they are uploaded and taken away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.core.files import File
from django.http import HttpRequest, HttpResponse

from geo.errors import BadInput, TooLarge
from geo.fences.files.reading import MOST_BYTES
from geo.fences.files.writing import WrittenFile


@contextmanager
def uploaded(request: HttpRequest, most: int = MOST_BYTES) -> Iterator[tuple[Path, str]]:
    """Give the uploaded file as one on disk, with its name. Raises ``BadInput`` for none, ``TooLarge``."""
    file = request.FILES.get("file")
    if not isinstance(file, File) or not file.size:
        raise BadInput("file_missing", "请先选一个文件。")
    if file.size > most:
        raise TooLarge("file_too_large", f"文件超过 {most // 1_000_000} MB，请先减少顶点或分开导入。")
    with tempfile.TemporaryDirectory(prefix="quantu-areas-") as folder:
        name = Path(file.name or "").name
        source = Path(folder) / f"upload{Path(name).suffix[-8:]}"
        with source.open("wb") as out:
            for chunk in file.chunks():
                out.write(chunk)
        yield source, name


def taken_away(file: WrittenFile) -> HttpResponse:
    """Return a file as a download under its own name."""
    response = HttpResponse(file.content, content_type=file.media)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return response
