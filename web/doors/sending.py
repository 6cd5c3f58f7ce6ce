"""Sending a kept file to somebody who may have it: by nginx where it stands in front, else from here, whole or in part.

Nothing that was uploaded runs in a page of ours: the type is told and not guessed, the content is confined, the name is safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

CONFINED: Final = "default-src 'none'; img-src 'self'; style-src 'none'; sandbox; frame-ancestors 'none'"
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_CHUNK: Final = 1 << 18


def send_file(
    request: HttpRequest, path: Path, *, media_type: str, name: str, inline: bool = False, seconds: int = 0
) -> HttpResponseBase:
    """Return the content of a file under MEDIA_ROOT; ``seconds`` is how long the caller's own browser may keep it."""
    response = _answer(request, path)
    response["Content-Type"] = media_type
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CONFINED
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-store"
    return response


def _answer(request: HttpRequest, path: Path) -> HttpResponseBase:
    if settings.ACCEL_MEDIA:
        response = HttpResponse()
        response["X-Accel-Redirect"] = f"/kept/{quote(str(path.relative_to(settings.MEDIA_ROOT)))}"
        return response
    size = path.stat().st_size
    asked = _part(request.headers.get("Range", ""), size)
    if asked is None:
        whole = FileResponse(path.open("rb"))
        whole["Accept-Ranges"] = "bytes"
        return whole
    first, last = asked
    if first > last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = StreamingHttpResponse(_read(path, first, last), status=206)
    part["Content-Range"] = f"bytes {first}-{last}/{size}"
    part["Content-Length"] = str(last - first + 1)
    part["Accept-Ranges"] = "bytes"
    return part


def _part(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and last byte asked for, first after last when there is none such; none for the whole file."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else (1, 0)
    return (int(first), min(int(last), size - 1) if last else size - 1) if int(first) < size else (1, 0)


def _read(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
