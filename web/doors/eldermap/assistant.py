"""个人助手 of 养老一张图: what somebody should do next, and a question in his own words answered by the finder itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.errors import CityError
from services.access.models import User
from services.access.queries import scope_for
from services.facilities.filters import read_filters
from services.facilities.freed import newly_free
from services.facilities.queries import city_now
from services.facilities.spoken import Understood, understand
from services.kernel.messages.queries import unread_count
from services.kernel.workflow.queries import cases_of_applicant
from services.kernel.workflow.transitions import State
from services.modules.finder.queries import Marked, marked_places
from services.modules.opinions.models import CommentState
from services.modules.opinions.queries import comments_by
from web.doors.finder.asking import MINUTES, Ask, Origin, read_ask
from web.doors.finder.find import answer
from web.doors.finder.searching import Candidate, candidates_for
from web.doors.finder.shown import Row
from web.favourites import marked_ids

SHOWN: Final = 3
PLACES: Final = 6
SAMPLES: Final = ("附近哪里有长者食堂", "15 分钟内能走到的日间照护", "老西门附近有空位的养老院", "能送餐的食堂")


class Todo(NamedTuple):
    """One thing to do next: what, why, where, and the tone of its mark."""

    icon: str
    text: str
    note: str
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was understood of a question and what follows: rows, places to choose from, or the words for what is missing."""

    understood: Understood
    ask: Ask
    rows: list[Row] = field(default_factory=list)
    places: list[Candidate] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    total: int = 0


@never_cache
@require_safe
def assistant(request: HttpRequest) -> HttpResponse:
    """Show what waits for the caller, and answer a question when one was put."""
    base = replace(read_ask(request.GET, theme="elder"), q="", place=None)
    text = request.GET.get("q", "").strip()[:100]
    context = {
        "ask": base,
        "text": text,
        "answered": answered(request, text, base) if text else None,
        "todos": todos(request),
        "samples": SAMPLES,
        "signed": isinstance(request.user, User),
    }
    return render(request, "eldermap/assistant.html", context)


def answered(request: HttpRequest, text: str, base: Ask) -> Answered:
    """Return the answer to a question in people's own words."""
    heard = understand(text)
    notes = [f"没听懂“{words}”。" for words in heard.left]
    ask = _asked(heard, base, notes)
    if heard.where and heard.kinds:
        found = candidates_for(replace(ask, q=heard.where, origin=None), scope=scope_for(request), limit=PLACES)
        sure = [one for one in found if one.certain] or (found if len(found) == 1 else [])
        if len(sure) != 1 or sure[0].place:
            return Answered(heard, ask, places=found, notes=(*notes, *_nowhere(heard, found)))
        ask = _from(ask, sure[0])
    if not heard.kinds or ask.origin is None:
        return Answered(heard, ask, notes=tuple(notes))
    try:
        result = answer(request, ask)
    except CityError as fault:
        return Answered(heard, ask, notes=(*notes, fault.message))
    said = result.circle.empty.message if result.circle.empty else ""
    return Answered(heard, ask, result.rows[:SHOWN], notes=(*notes, *filter(None, [said])), total=result.circle.total)


def _asked(heard: Understood, base: Ask, notes: list[str]) -> Ask:
    """Return the question to the finder; what it cannot take as said is told in ``notes``."""
    filters, wrong = read_filters(dict(heard.needs), timezone.localdate())
    notes += [error.message for error in wrong]
    minutes = heard.minutes or base.minutes
    if minutes not in MINUTES:
        nearest = next((each for each in MINUTES if each >= minutes), MINUTES[-1])
        notes.append(f"时间可选 {'、'.join(map(str, MINUTES))} 分钟，按 {nearest} 分钟查。")
        minutes = nearest
    kinds, mode = heard.kinds or base.kinds, heard.mode or base.mode
    return replace(base, kinds=kinds, minutes=minutes, mode=mode, filters=filters)


def _from(ask: Ask, place: Candidate) -> Ask:
    """Return the question asked from where a candidate's own link begins."""
    assert place.origin is not None
    return replace(ask, origin=Origin(*place.origin), at=place.label)


def _nowhere(heard: Understood, found: list[Candidate]) -> list[str]:
    return [] if found else [f"没找到“{heard.where}”这个地方，请换个说法，或者用您的位置。"]


def todos(request: HttpRequest) -> list[Todo]:
    """Return what waits for the caller, the most pressing first; of a device, what changed at the places it keeps."""
    kept = marked_places(marked_ids(request), scope=scope_for(request))
    user = request.user if isinstance(request.user, User) else None
    own = [*_cases(user), *_messages(user), *_comments(user)] if user else []
    return [*own, *_places(kept)]


def _cases(user: User) -> list[Todo]:
    rows = cases_of_applicant(user).filter(state__in=(State.SUPPLEMENT, State.OPEN)).order_by("-pk")[:20]
    found = []
    for case in rows:
        url = reverse("my-case", args=[case.uid])
        if case.state == State.SUPPLEMENT:
            found.append(Todo("upload", f"补正材料：{case.title}", "补齐以后才会接着办。", url, "warn"))
        elif case.promised_at:
            day = timezone.localtime(case.promised_at)
            found.append(Todo("calendar", f"{case.title}正在办", f"承诺 {day.month}月{day.day}日前办结。", url))
    return sorted(found, key=lambda one: one.tone != "warn")


def _messages(user: User) -> list[Todo]:
    count = unread_count(user)
    return (
        [Todo("bell", f"{count} 条消息没看", "申请、点评、建议的结果都在里面。", reverse("elder-messages"), "kind")]
        if count
        else []
    )


def _comments(user: User) -> list[Todo]:
    rows = comments_by(user).filter(state=CommentState.REFUSED)[:5]
    return [
        Todo(
            "pencil",
            f"改一改对{row.facility.name}的点评",
            row.reason,
            reverse("place-comment", args=[row.facility_id]),
            "warn",
        )
        for row in rows
    ]


def _places(kept: list[Marked]) -> list[Todo]:
    free = newly_free([one.id for one in kept], now=city_now())
    found = []
    for one in kept:
        url = f"/places/{one.id}?theme=elder"
        if one.id in free and one.place:
            count, at = free[one.id]
            day = timezone.localtime(at)
            found.append(
                Todo(
                    "bed",
                    f"{one.name}有余位了",
                    f"{day.month}月{day.day}日报的，余位 {count} 个。",
                    url,
                    "good",
                )
            )
        if one.changed:
            found.append(
                Todo("triangle-alert", f"{one.name}：{one.changed}", "收藏的机构有变化，出门前先看一下。", url, "warn")
            )
    return found
