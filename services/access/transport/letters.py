"""What is inside a sealed message: one line of JSON and the body as it is. Pure.

Method, target and the few headers that count travel inside, so that nobody on the way reads or exchanges them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from geo.errors import BadInput

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
ASKING: Final = frozenset(
    {
        "accept", "accept-language", "content-type", "hx-current-url", "hx-request", "hx-target", "hx-trigger",
        "idempotency-key", "if-match", "if-none-match", "x-csrftoken", "x-requested-with",
    }
)  # fmt: skip
"""The headers of a request that count inside; who is asking is said outside, by the session's cookie."""
ANSWERING: Final = frozenset(
    {
        "allow", "cache-control", "content-disposition", "content-language", "content-type", "etag", "hx-redirect",
        "hx-refresh", "hx-trigger", "last-modified", "link", "location", "retry-after", "www-authenticate", "x-request-id",
    }
)  # fmt: skip
LONGEST_TARGET: Final = 4_000
LONGEST_HEAD: Final = 16_000
_TARGET: Final = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class Letter:
    """A request: method, path with its query, headers in small letters, body."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def written(self) -> bytes:
        """Return the letter as bytes."""
        head = {"method": self.method, "target": self.target, "headers": dict(self.headers)}
        return json.dumps(head, ensure_ascii=False).encode() + b"\n" + self.body


def read_letter(plain: bytes) -> Letter:
    """Return the request inside a message. Raises ``BadInput`` for anything that is none."""
    line, _, body = plain.partition(b"\n")
    try:
        if len(line) > LONGEST_HEAD:
            raise ValueError("too long")
        head = json.loads(line)
        method, target, headers = head["method"], head["target"], head.get("headers", {})
        good = method in METHODS and len(target) <= LONGEST_TARGET and bool(_TARGET.fullmatch(target))
        kept = {name.lower(): value for name, value in headers.items() if name.lower() in ASKING}
        good = good and not target.startswith("//") and all(_is_plain(value) for value in kept.values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        good = False
    if not good:
        raise BadInput("sealed_unreadable", "封好的请求打开后读不懂，请更新应用后再试。")
    return Letter(method, target, kept, body)


def written_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Return an answer as bytes; headers that say nothing to a device are left out."""
    kept = [[name, value] for name, value in headers if name.lower() in ANSWERING]
    return json.dumps({"status": status, "headers": kept}, ensure_ascii=False).encode() + b"\n" + body


def read_answer(plain: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers in small letters and body of an answer, as a device reads it."""
    line, _, body = plain.partition(b"\n")
    head = json.loads(line)
    return int(head["status"]), {name.lower(): value for name, value in head["headers"]}, body


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and not any(sign in value for sign in "\r\n\0")
