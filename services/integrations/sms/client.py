"""Our side of the gateway: send a text, read receipts. It says plainly whether a message was taken, refused, or nobody knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import BaseModel, ValidationError

from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream, ask
from services.integrations.signing import signed_headers
from services.integrations.sms.schemas import AGAIN, RECEIPTS_PATH, SEND_PATH, Code, Pull, Pulled, Send, Sent, Taken

Kind = TypeVar("Kind", bound=BaseModel)
NAME: Final = "大数据中心短信平台"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def send(
        self, *, message_id: str, phones: Sequence[str], content: str, send_at: dt.datetime | None = None
    ) -> list[Taken]:
        """Hand over one text and return what became of each phone, in their order.

        The same ``message_id`` may be sent again: the gateway sends it once. Raises ``NotReached`` when it certainly did not
        arrive, ``AnswerUnclear`` when nobody knows; a refusal of the whole is told for each phone.
        """
        asked = Send(message_id=message_id, phones=list(phones), content=content, send_at=send_at)
        sent = self._ask(SEND_PATH, asked, Sent)
        if sent.code != Code.ACCEPTED:
            return [Taken(phone=phone, code=sent.code) for phone in phones]
        told = {item.phone: item for item in sent.items}
        if set(told) != set(phones) or any(item.code == Code.ACCEPTED and not item.provider_id for item in sent.items):
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复与请求对不上。")
        return [told[phone] for phone in phones]

    def receipts(self, *, after: str = "", limit: int = 500) -> Pulled:
        """Read the receipts after a cursor, oldest first."""
        return self._ask(RECEIPTS_PATH, Pull(after=after, limit=limit), Pulled, tries=2)

    def _ask(self, path: str, asked: BaseModel, kind: type[Kind], tries: int = 1) -> Kind:
        body = asked.model_dump_json().encode()
        signed_path = urlsplit(self.upstream.root).path.rstrip("/") + path
        for_them = signed_headers(app=self.app, secret=self.secret, method="POST", path=signed_path, body=body)
        headers = {"Content-Type": "application/json", **for_them}
        answer = ask(self.upstream, "POST", path, body=body, headers=headers, tries=tries)
        try:
            return kind.model_validate_json(answer.body)
        except ValidationError as fault:
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status) from fault


def final(code: Code) -> bool:
    """Say whether a refusal with this code will never become anything else."""
    return code not in AGAIN


def is_connected() -> bool:
    """Say whether a gateway is configured."""
    return bool(settings.SMS_URL and settings.SMS_APP and settings.SMS_SECRET)


def gateway() -> Gateway:
    """Return the configured gateway. Raises ``NotConnected`` when there is none."""
    if not is_connected():
        raise NotConnected("not_connected", f"{NAME}未接通：请系统管理员配置地址、应用编号和密钥。短信会先留存。")
    host = (urlsplit(settings.SMS_URL).hostname or "").lower()
    upstream = Upstream(
        key="sms",
        name=NAME,
        root=settings.SMS_URL,
        total_s=settings.SMS_TIMEOUT_S,
        inside=host in settings.INSIDE_HOSTS,
    )
    return Gateway(upstream, settings.SMS_APP, settings.SMS_SECRET)
