"""Our side: tell a source how a case goes. It says plainly whether that was taken, refused, or nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import ValidationError

from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream, ask
from services.integrations.progress.schemas import FEEDBACK_PATH, Answer, Code, Progress
from services.integrations.signing import signed_headers

CHANNELS: Final = MappingProxyType({"one_stop": "一网通办", "community": "社区事务受理系统"})
"""The sources of cases that take feedback, by the key that matters name them by."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One source that this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def tell(self, progress: Progress) -> Code:
        """Tell one piece of progress, and return what they say. The same may be told again: it counts once.

        Raises ``NotReached`` when it certainly did not arrive, ``AnswerUnclear`` when nobody knows.
        """
        body = progress.model_dump_json().encode()
        path = urlsplit(self.upstream.root).path.rstrip("/") + FEEDBACK_PATH
        signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=path, body=body)
        headers = {"Content-Type": "application/json", **signed}
        answer = ask(self.upstream, "POST", FEEDBACK_PATH, body=body, headers=headers)
        try:
            return Answer.model_validate_json(answer.body).code
        except ValidationError as fault:
            raise AnswerUnclear(
                "answer_unclear", f"{self.upstream.name}的答复读不懂。", status=answer.status
            ) from fault


def connected(channel: str) -> bool:
    """Say whether a source is configured."""
    return all(settings.PROGRESS.get(channel, {}).get(name) for name in ("url", "app", "secret"))


def channel_named(channel: str) -> Channel:
    """Return the configured source. Raises ``NotConnected`` when there is none."""
    if not connected(channel):
        name = CHANNELS.get(channel, channel)
        raise NotConnected("not_connected", f"{name}未接通：请系统管理员配置地址、应用编号和密钥。进度会先留存。")
    told = settings.PROGRESS[channel]
    host = (urlsplit(told["url"]).hostname or "").lower()
    upstream = Upstream(
        key=f"progress-{channel}", name=CHANNELS[channel], root=told["url"], inside=host in settings.INSIDE_HOSTS,
        total_s=settings.PROGRESS_TIMEOUT_S,
    )  # fmt: skip
    return Channel(upstream, told["app"], told["secret"])
