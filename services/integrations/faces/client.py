"""Our side of the face service: begin a check, have pictures compared. It says plainly what is known and what is not."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import BaseModel, ValidationError

from services.integrations.faces.schemas import (
    BEGIN_PATH,
    MOST_BYTES,
    VERIFY_PATH,
    Begin,
    Begun,
    Refusal,
    Refused,
    Verified,
    Verify,
    seal_picture,
)
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream, ask
from services.integrations.signing import signed_headers

Kind = TypeVar("Kind", bound=BaseModel)
NAME: Final = "人脸核验平台"


@dataclass(frozen=True, slots=True)
class FaceService:
    """The face service this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def begin(self, *, subject: str) -> Begun:
        """Open a check of a person. Raises ``NotReached``, ``AnswerUnclear``."""
        return self._ask(BEGIN_PATH, Begin(subject=subject), Begun)

    def verify(self, *, request_id: str, subject: str, token: str, pictures: Sequence[bytes]) -> Verified:
        """Have pictures of one moment compared; '' ``token`` without liveness. The same ``request_id`` may be asked again.

        Raises ``NotReached`` when it certainly did not arrive, ``AnswerUnclear`` when nobody knows what it came to, or the answer
        is of another request.
        """
        if any(len(picture) > MOST_BYTES for picture in pictures):
            raise ValueError("a picture beyond the contract")
        sealed = [
            base64.b64encode(
                seal_picture(self.secret, picture, request_id=request_id, subject=subject, place=place)
            )
            for place, picture in enumerate(pictures)
        ]  # fmt: skip
        told = self._ask(
            VERIFY_PATH, Verify(request_id=request_id, subject=subject, token=token, pictures=sealed), Verified, tries=2
        )
        if told.request_id != request_id:
            raise AnswerUnclear("answer_strange", f"{NAME}的答复和请求对不上。")
        return told

    def _ask(self, path: str, asked: BaseModel, kind: type[Kind], tries: int = 1) -> Kind:
        body = asked.model_dump_json().encode()
        target = urlsplit(self.upstream.root).path.rstrip("/") + path
        answer = None
        for left in reversed(range(tries)):
            signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=target, body=body)
            headers = {"Content-Type": "application/json", **signed}
            answer = ask(self.upstream, "POST", path, body=body, headers=headers)
            if answer.status != 503 or not left:
                break
        assert answer is not None
        try:
            if answer.status != 200:
                _refuse(Refused.model_validate_json(answer.body).code)
            return kind.model_validate_json(answer.body)
        except ValidationError as fault:
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status) from fault


def is_connected() -> bool:
    """Say whether a face service is configured."""
    return bool(settings.FACES_URL and settings.FACES_APP and settings.FACES_SECRET)


def face_service() -> FaceService:
    """Return the configured face service. Raises ``NotConnected`` where there is none, or faces would travel in the open."""
    parts = urlsplit(settings.FACES_URL)
    inside = (parts.hostname or "").lower() in settings.INSIDE_HOSTS
    if not is_connected() or (parts.scheme != "https" and not inside):
        raise NotConnected("not_connected", f"{NAME}未接通：请系统管理员配置 https 地址、应用编号和密钥。")
    upstream = Upstream(
        key="faces", name=NAME, root=settings.FACES_URL, total_s=settings.FACES_TIMEOUT_S, inside=inside
    )
    return FaceService(upstream, settings.FACES_APP, settings.FACES_SECRET)


def _refuse(code: Refusal) -> None:
    if code is Refusal.TOKEN_SPENT:
        raise AnswerUnclear("token_spent", "这次核验已过期，请重新拍照。")
    raise AnswerUnclear("refused", f"{NAME}拒绝了请求，请系统管理员核对应用编号和密钥。", why=code.value)
