"""Our side of the library: all figures of one day together, or a fault."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import ValidationError

from services.integrations.elder_library.schemas import FIGURES_PATH, Asked, Figure, Figures
from services.integrations.faults import AnswerUnclear, NotConnected
from services.integrations.http import Upstream, ask
from services.integrations.signing import signed_headers

NAME: Final = "全市养老专题库"
MOST_PAGES: Final = 200


@dataclass(frozen=True, slots=True)
class Day:
    """Every figure of one day."""

    as_of: dt.date
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """The library this installation is connected to."""

    upstream: Upstream
    app: str
    secret: str

    def newest_day(self, *, limit: int = 500) -> Day:
        """Read all figures of the newest day. Reading does no harm: what does not arrive is asked again.

        Raises ``NotReached``, and ``AnswerUnclear`` for an answer that is wrong, incomplete, or of two days.
        """
        first = page = self._page(Asked(limit=limit))
        found = list(page.items)
        for _ in range(MOST_PAGES):
            if not page.cursor:
                break
            page = self._page(Asked(after=page.cursor, limit=limit))
            if (page.as_of, page.total) != (first.as_of, first.total):
                raise AnswerUnclear("day_changed", f"取数途中{NAME}换了一天的数据，下次再取。")
            found += page.items
        codes = {figure.region_code for figure in found}
        if page.cursor or len(found) != first.total or len(codes) != len(found):
            raise AnswerUnclear("incomplete", f"{NAME}的数据不完整：应有 {first.total} 条，取到 {len(codes)} 条。")
        return Day(first.as_of, tuple(found))

    def _page(self, asked: Asked) -> Figures:
        body = asked.model_dump_json().encode()
        path = urlsplit(self.upstream.root).path.rstrip("/") + FIGURES_PATH
        signed = signed_headers(app=self.app, secret=self.secret, method="POST", path=path, body=body)
        headers = {"Content-Type": "application/json", **signed}
        answer = ask(self.upstream, "POST", FIGURES_PATH, body=body, headers=headers, tries=2)
        if answer.status != 200:
            raise AnswerUnclear("refused", f"{NAME}没有给出数据（{answer.status}）。", status=answer.status)
        try:
            return Figures.model_validate_json(answer.body)
        except ValidationError as fault:
            raise AnswerUnclear("answer_unclear", f"{NAME}的答复读不懂。", status=answer.status) from fault


def is_connected() -> bool:
    """Say whether a library is configured."""
    return bool(settings.ELDERS_URL and settings.ELDERS_APP and settings.ELDERS_SECRET)


def library() -> Library:
    """Return the configured library. Raises ``NotConnected`` when there is none."""
    if not is_connected():
        raise NotConnected("not_connected", f"{NAME}未接通：请系统管理员配置地址、应用编号和密钥。")
    host = (urlsplit(settings.ELDERS_URL).hostname or "").lower()
    upstream = Upstream(key="elders", name=NAME, root=settings.ELDERS_URL, inside=host in settings.INSIDE_HOSTS)
    return Library(upstream, settings.ELDERS_APP, settings.ELDERS_SECRET)
