"""Our side of receivers: whether an address may be one, and posting an event to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from geo.errors import BadInput
from services.integrations.http import Answer, Upstream, ask
from services.integrations.receivers.schemas import EVENT_ID, Occurrence
from services.integrations.signing import signed_headers

LONGEST: Final = 300
NAME: Final = "平台的回调地址"


def check_url(url: str) -> str:
    """Return an address that may be told of events. Raises ``BadInput``.

    Its host is one that the operator listed, and it is https unless the host stands inside (``is_inside``). Where its name leads
    is checked each time it is asked (``services.integrations.http``).
    """
    parts = urlsplit(url) if url.isascii() and len(url) <= LONGEST and not any(c <= " " for c in url) else urlsplit("")
    try:
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        port, host = -1, ""
    plain = not (parts.username or parts.password or parts.query or parts.fragment) and "\\" not in url
    path = parts.path or "/"
    if not host or not plain or port in (-1, 0) or ".." in path or "//" in path or "%" in host:
        raise BadInput("receiver_url", "回调地址请写成 https://主机/路径，不带账号、参数和“#”。")
    if parts.scheme != "https" and not (is_inside(host) and parts.scheme == "http"):
        raise BadInput("receiver_not_https", "回调地址要以 https:// 开头，事件只加密发送。")
    if host not in settings.RECEIVER_HOSTS:
        raise BadInput("receiver_host", "这个主机不在允许回调的名单里，请联系接口管理员登记。")
    return url


def is_inside(host: str) -> bool:
    """Say whether the operator named a host both as a receiver and as one of our own network; neither alone is enough: a
    platform must not reach other systems there through us.
    """
    return host.lower() in settings.RECEIVER_HOSTS and host.lower() in settings.INSIDE_HOSTS


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that events may be posted to; ``key`` names its breaker."""

    key: str
    url: str
    app: str
    secret: str

    def tell(self, event: Occurrence) -> Answer:
        """Post an event and return what was answered, whatever it is. The same one may be told again.

        Raises ``BadInput`` for an address that may no longer be one, ``NotReached`` when the event certainly did not arrive,
        ``AnswerUnclear`` when nobody knows.
        """
        parts = urlsplit(check_url(self.url))
        upstream = Upstream(
            key=self.key, name=NAME, root=f"{parts.scheme}://{parts.netloc}", total_s=settings.RECEIVER_TIMEOUT_S,
            inside=is_inside(parts.hostname or ""),
        )  # fmt: skip
        path, body = parts.path or "/", event.model_dump_json().encode()
        signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=path, body=body)
        headers = {"Content-Type": "application/json", EVENT_ID: str(event.id), **signed}
        return ask(upstream, "POST", path, body=body, headers=headers, most_bytes=64_000)
