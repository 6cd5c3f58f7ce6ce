"""Our side of the platform of supervision: facts of institutions are asked for, ratings are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import BaseModel, ValidationError

from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Answer as Replied
from services.integrations.http import Upstream, ask
from services.integrations.signing import signed_headers
from services.integrations.supervision.schemas import (
    FACTS_PATH,
    RATINGS_PATH,
    Answer,
    Asked,
    Code,
    Facts,
    Known,
    Rating,
)

NAME: Final = "上海市“互联网+监管”平台"


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def facts_of(self, codes: Sequence[str]) -> list[Facts]:
        """Return what they keep of some institutions, ``MOST_AT_ONCE`` at most; asking again does no harm.

        Raises ``NotReached``, and ``AnswerUnclear`` for an answer that is wrong, doubled, or of institutions nobody asked for.
        """
        answer = self._post(FACTS_PATH, Asked(codes=list(codes)), tries=2)
        if answer.status != 200:
            raise AnswerUnclear("refused", f"{NAME}没有给出监管信息（{answer.status}）。", status=answer.status)
        try:
            items = Known.model_validate_json(answer.body).items
        except ValidationError as fault:
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status) from fault
        named = [each.credit_code for each in items]
        if len(set(named)) != len(named) or not set(named) <= set(codes):
            raise AnswerUnclear("answer_strange", f"{NAME}的答复和所问的机构对不上。", status=answer.status)
        return items

    def tell(self, rating: Rating) -> Code:
        """Tell how an institution is rated, and return what they say. The same may be told again: it counts once.

        Raises ``NotReached`` when it certainly did not arrive, ``AnswerUnclear`` when nobody knows.
        """
        answer = self._post(RATINGS_PATH, rating)
        try:
            return Answer.model_validate_json(answer.body).code
        except ValidationError as fault:
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status) from fault

    def _post(self, path: str, content: BaseModel, tries: int = 1) -> Replied:
        body = content.model_dump_json().encode()
        target = urlsplit(self.upstream.root).path.rstrip("/") + path
        signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=target, body=body)
        headers = {"Content-Type": "application/json", **signed}
        return ask(self.upstream, "POST", path, body=body, headers=headers, tries=tries)


def is_connected() -> bool:
    """Say whether a platform is configured."""
    return bool(settings.SUPERVISION_URL and settings.SUPERVISION_APP and settings.SUPERVISION_SECRET)


def platform() -> Platform:
    """Return the configured platform. Raises ``NotConnected`` when there is none."""
    if not is_connected():
        raise NotConnected("not_connected", f"{NAME}未接通：请系统管理员配置地址、应用编号和密钥。")
    host = (urlsplit(settings.SUPERVISION_URL).hostname or "").lower()
    upstream = Upstream(
        key="supervision", name=NAME, root=settings.SUPERVISION_URL, inside=host in settings.INSIDE_HOSTS
    )
    return Platform(upstream, settings.SUPERVISION_APP, settings.SUPERVISION_SECRET)
