"""Our side of a key and signature service: the acts of ``KeyService`` over HTTP, each answer read by the letter.

Reads and checks are asked again where they did not arrive; making and dropping keys never are.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import Base64Bytes, BaseModel, ValidationError

from geo.errors import Conflict, NotFound, Unavailable
from services.crypto.port import KeyNote, Purpose
from services.crypto.primitives import NONCE_BYTES, TAG_BYTES, Tampered
from services.integrations.faults import RESTING, AnswerUnclear, NotConnected, NotReached
from services.integrations.http import AGAIN as BUSY
from services.integrations.http import Answer, Upstream, ask
from services.integrations.keyservice import schemas as s
from services.integrations.signing import signed_headers

Kind = TypeVar("Kind", bound=BaseModel)
NAME: Final = "密码服务平台"
JSON: Final = {"Content-Type": "application/json"}
AGAIN: Final = 2
PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """The key service this installation is connected to; it holds every key, we hold none."""

    upstream: Upstream
    app: str
    secret: str

    def notes(self) -> tuple[KeyNote, ...]:
        """See ``KeyService``."""
        return tuple(_note(each) for each in self._ask("notes", s.Done(), s.Notes).keys)

    def seal(self, plain: bytes, surroundings: bytes) -> tuple[str, bytes]:
        """See ``KeyService``."""
        told = self._ask("seal", s.Seal(plain=_text(plain), surroundings=_text(surroundings)), s.Sealed)
        if len(told.sealed) != NONCE_BYTES + len(plain) + TAG_BYTES:
            raise _unclear("the sealed text has another length")
        return told.key_id, told.sealed

    def open(self, key_id: str, sealed: bytes, surroundings: bytes) -> bytes:
        """See ``KeyService``."""
        wanted = s.Open(key_id=_key_id(key_id), sealed=_text(sealed), surroundings=_text(surroundings))
        plain = self._ask("open", wanted, s.Opened).plain
        if len(sealed) != NONCE_BYTES + len(plain) + TAG_BYTES:
            raise _unclear("the plain text has another length")
        return plain

    def macs(self, label: bytes, data: bytes) -> tuple[tuple[str, bytes], ...]:
        """See ``KeyService``."""
        told = self._ask("macs", s.Macs(label=_text(label), data=_text(data)), s.Maced)
        return tuple((each.key_id, each.mac) for each in told.macs)

    def sign(self, data: bytes) -> tuple[str, bytes]:
        """See ``KeyService``."""
        told = self._ask("sign", s.Sign(data=_text(data)), s.Signed)
        return told.key_id, told.signature

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """See ``KeyService``."""
        if not signature or not key_id.isascii() or not key_id.isalnum():
            return False
        wanted = s.Verify(key_id=key_id, data=_text(data), signature=_text(signature))
        return self._ask("verify", wanted, s.Verified).good

    def add_key(self, purpose: Purpose) -> KeyNote:
        """See ``KeyService``."""
        return _note(self._ask("add", s.Add(purpose=purpose), s.Note, tries=1))

    def drop_key(self, key_id: str) -> None:
        """See ``KeyService``."""
        self._ask("drop", s.Drop(key_id=_key_id(key_id)), s.Done, tries=1)

    def _ask(self, act: str, asked: BaseModel, kind: type[Kind], tries: int = AGAIN) -> Kind:
        body = asked.model_dump_json().encode()
        answer = self._answer(act, body, tries)
        try:
            if answer.status != 200:
                _refuse(s.Refused.model_validate_json(answer.body).code, act)
            return kind.model_validate_json(answer.body)
        except ValidationError as fault:
            raise _unclear(f"status {answer.status}") from fault

    def _answer(self, act: str, body: bytes, tries: int) -> Answer:
        """Ask up to so many times, each signed anew: a nonce counts once."""
        path = f"{s.ROOT}/{act}"
        signed_path = urlsplit(self.upstream.root).path.rstrip("/") + path
        for left in reversed(range(tries)):
            for_them = signed_headers(app=self.app, secret=self.secret, method="POST", path=signed_path, body=body)
            try:
                answer = ask(self.upstream, "POST", path, body=body, headers={**JSON, **for_them})
            except (NotReached, AnswerUnclear) as fault:
                if not left or fault.code == RESTING:
                    raise
            else:
                if not left or answer.status not in BUSY:
                    return answer
            time.sleep(PAUSE_S)
        raise AssertionError("unreachable")


def is_connected() -> bool:
    """Say whether a key service is configured."""
    return bool(settings.KEY_SERVICE_URL)


def connected_keys() -> RemoteKeys | None:
    """Return the configured key service, none where there is none. Raises ``NotConnected`` for half a configuration."""
    if not is_connected():
        return None
    parts = urlsplit(settings.KEY_SERVICE_URL)
    inside = (parts.hostname or "").lower() in settings.INSIDE_HOSTS
    if not settings.KEY_SERVICE_APP or not settings.KEY_SERVICE_SECRET or (parts.scheme != "https" and not inside):
        raise NotConnected("not_connected", f"{NAME}的配置不完整：要有 https 地址、应用编号和密钥。请系统管理员核对。")
    upstream = Upstream(
        key="keyservice",
        name=NAME,
        root=settings.KEY_SERVICE_URL,
        total_s=settings.KEY_SERVICE_TIMEOUT_S,
        inside=inside,
    )
    return RemoteKeys(upstream, settings.KEY_SERVICE_APP, settings.KEY_SERVICE_SECRET)


def _text(data: bytes) -> Base64Bytes:
    """Return bytes as the contract's models take them: already written in Base64."""

    return base64.b64encode(data)


def _key_id(key_id: str) -> str:
    if not key_id.isascii() or not key_id.isalnum() or len(key_id) > 20:
        raise Unavailable("key_unknown", f"{NAME}里没有加密这条内容的密钥。", key=key_id[:20])
    return key_id


def _note(told: s.Note) -> KeyNote:
    return KeyNote(told.id, told.purpose, told.made_on, told.newest, told.public)


def _unclear(why: str) -> AnswerUnclear:
    return AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂，请稍后再试；一直如此请联系系统管理员。", why=why)


def _refuse(code: s.Refusal, act: str) -> None:
    if code is s.Refusal.TAMPERED:
        raise Tampered
    if code is s.Refusal.KEY_UNKNOWN:
        if act == "drop":
            raise NotFound("key_unknown", f"{NAME}里没有这把密钥。")
        raise Unavailable("key_unknown", f"{NAME}里没有加密这条内容的密钥，请系统管理员核对。")
    if code is s.Refusal.KEY_IN_USE:
        raise Conflict("key_in_use", "这把密钥正在使用，不能删除。")
    raise Unavailable("key_service_refused", f"{NAME}拒绝了请求，请系统管理员核对应用编号和密钥。", why=code.value)
