"""Sending a kept file to somebody who may have it: opened piece by piece as it goes out, whole or in part.

Nothing that was uploaded runs in a page of ours: the type is told and not guessed, the content is confined, the name is safe.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, quote_etag

from geo.errors import NotFound
from geo.etags import holds_already
from geo.kept import open_file

CONFINED: Final = "default-src 'none'; img-src 'self'; style-src 'none'; sandbox; frame-ancestors 'none'"
GONE: Final = "这个文件的内容不见了。请联系管理员从备份恢复。"
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_CHUNK: Final = 1 << 18


def send_file(
    request: HttpRequest,
    path: Path,
    *,
    media_type: str,
    name: str,
    inline: bool = False,
    seconds: int = 0,
    tag: str = "",
) -> HttpResponseBase:
    """Return the plain content of a kept file; ``seconds`` is how long the caller's own browser may keep it.

    ``tag`` names the content for ``If-Range``. Raises ``NotFound`` when the file is gone, ``Conflict`` when it was altered.
    """
    response = _answer(request, quote_etag(tag) if tag else "", lambda: open_file(path))
    response["Content-Type"] = media_type
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CONFINED
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-store"
    return response


def send_public(request: HttpRequest, path: Path, *, media_type: str, tag: str) -> HttpResponseBase:
    """Return a file that is everyone's and lies as it is, whole or in part; unchanged it is 304."""
    if holds_already(request, quote_etag(tag)):
        response: HttpResponseBase = HttpResponse(status=304, headers={"ETag": quote_etag(tag)})
    else:
        response = _answer(request, quote_etag(tag), lambda: path.open("rb"))
        response["Content-Type"] = media_type
        response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, no-cache"
    return response


def send_piece(
    request: HttpRequest, opened: Callable[[], BinaryIO], *, media_type: str, tag: str, keep: str
) -> HttpResponseBase:
    """Return a file that lies within another, whole or in part; unchanged it is 304. ``keep`` is what is said to caches.

    Raises ``NotFound`` when the file is gone, ``Conflict`` when it was altered.
    """
    if holds_already(request, quote_etag(tag)):
        response: HttpResponseBase = HttpResponse(status=304, headers={"ETag": quote_etag(tag)})
    else:
        response = _answer(request, quote_etag(tag), opened)
        response["Content-Type"] = media_type
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = CONFINED
        response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = keep
    return response


def _answer(request: HttpRequest, tag: str, opened: Callable[[], BinaryIO]) -> HttpResponseBase:
    try:
        content = opened()
    except FileNotFoundError:
        raise NotFound("content_missing", GONE) from None
    size = content.seek(0, os.SEEK_END)
    asked = _part(request.headers.get("Range", ""), size) if _still(request, tag) else None
    first, last = asked or (0, size - 1)
    if asked is not None and first > last:
        content.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if request.method == "HEAD":
        content.close()
        response: HttpResponseBase = HttpResponse(status=206 if asked else 200)
    else:
        response = StreamingHttpResponse(_Part(content, first, last), status=206 if asked else 200)
    if asked:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    if tag:
        response["ETag"] = tag
    return response


def _still(request: HttpRequest, tag: str) -> bool:
    """Say whether a part may be sent: of another content than the caller has begun with it would be of no use."""
    known = request.headers.get("If-Range", "")
    return not known or (bool(tag) and known == tag)


def _part(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and last byte asked for, first after last when there is none such; none for the whole file."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else (1, 0)
    return (int(first), min(int(last), size - 1) if last else size - 1) if int(first) < size else (1, 0)


class _Part:
    """The bytes of a stream from one to another, both included; Django closes it, however the answer ends."""

    def __init__(self, content: BinaryIO, first: int, last: int) -> None:
        self.content, self.first, self.last = content, first, last

    def __iter__(self) -> Iterator[bytes]:
        self.content.seek(self.first)
        left = self.last - self.first + 1
        while left > 0 and (chunk := self.content.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.content.close()
