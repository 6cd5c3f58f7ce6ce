"""入园: which kindergarten an address belongs to, and why. The address comes by POST alone and is kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError
from geo.imports.queries import shows_invented
from services.access.models import User
from services.access.queries import scope_for
from services.catchments.answering import Answer, answer
from services.catchments.entries import EntryPoint, entry_point
from services.catchments.telling import years_answered
from services.crypto.identifiers import new_id
from services.modules.enrolment.own_addresses import OwnAddress, has_registrations, own_addresses
from web.api.errors import status_of
from web.api.limits import CallerLimit
from web.doors.common.callers import user_of
from web.doors.common.desk_map import map_context
from web.doors.common.typed import typed
from web.doors.enrol.examples import examples
from web.doors.enrol.shown import Shown, shown, with_labels
from web.doors.finder.asking import Ask
from web.doors.finder.searching import SUGGESTED, candidates_for

LONGEST: Final = 200
ASKED: Final = CallerLimit("enrol", anonymous=60, keyed=240)
TYPING: Final = CallerLimit("enrol-typing", anonymous=240, keyed=600)


class Way(NamedTuple):
    """An entry in words parents understand: what it is, who it is for, and whose address counts."""

    key: str
    name: str
    help: str
    asks: str


WAYS: Final = (
    Way("local", "户口和住址一致", "上海户口，就住在户口本上的地址", "户籍地址"),
    Way("apart", "户口和住址不一致", "上海户口，住在别处", "居住地址"),
    Way("elsewhere", "外省市户口", "持居住证等，住在上海", "居住地址"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a parent asks: the entry, the year, the address as typed, and the district where several have it."""

    entry: EntryPoint
    year: int
    newest: int | None
    years: list[int]
    address: str = ""
    district: str = ""

    @property
    def way(self) -> Way:
        """Return the entry in the words of the page."""
        return next(way for way in WAYS if way.key == self.entry.key)

    @property
    def url(self) -> str:
        """Return the page with this entry and year: it may be passed on, the address is not in it."""
        return f"/enrol?{urlencode({'entry': self.entry.key, 'year': self.year})}"


def question_of(request: HttpRequest) -> Question:
    """Return what is asked; an entry or a year that cannot be meant is taken as usual."""
    entry = entry_point(typed(request, "entry")) or entry_point("local")
    assert entry is not None
    years = years_answered()
    newest = years[0] if years else None
    said = typed(request, "year")
    known = [year for year in years if str(year) == said]
    # The address is asked for by POST alone: one in a link would lie in histories and logs.
    address = typed(request, "address").strip() if request.method == "POST" else ""
    return Question(
        entry,
        known[0] if known else newest or timezone.localdate().year,
        newest,
        years,
        address,
        typed(request, "district")[:12],
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask for an address, and answer with the kindergartens it belongs to, with every outcome leading on."""
    asked = question_of(request)
    if request.method != "POST":
        return _page(request, asked)
    ASKED.allow_request(request)
    try:
        found = shown(request, answered(request, asked), asked.newest, asked.year)
    except BadInput as wrong:
        return _page(request, asked, fault=wrong)
    return _page(request, asked, found=found)


@never_cache
@login_required
@require_POST
def own(request: HttpRequest) -> HttpResponse:
    """Offer the addresses that the caller's own registrations say; choosing one asks for it."""
    ASKED.allow_request(request)
    return _page(request, question_of(request), own=own_addresses(user_of(request)))


def _page(
    request: HttpRequest,
    asked: Question,
    *,
    found: Shown | None = None,
    fault: CityError | None = None,
    own: list[OwnAddress] | None = None,
) -> HttpResponse:
    user = request.user
    context = {
        "asked": asked,
        "ways": WAYS,
        "found": found,
        "fault": fault,
        "own": own,
        "may_use_own": own is None and isinstance(user, User) and has_registrations(user),
        "key": new_id(),
        "candidates": _meant(request, asked, found),
        "examples": examples(asked.entry.key, asked.year) if found is None and own is None and shows_invented() else [],
        "share_url": request.build_absolute_uri(asked.url),
        "share_note": "链接里只有哪种情况和哪一年，没有您的地址。家人打开后写自己的地址查。",
        **map_context(),
    }
    return render(request, "enrol/page.html", context, status=status_of(fault) if fault else 200)


def answered(request: HttpRequest, asked: Question) -> Answer:
    """Return the answer to a question. Raises ``BadInput`` for an address that is none."""
    if len(asked.address) > LONGEST:
        raise BadInput("address_too_long", f"地址最多 {LONGEST} 个字，请只写一个地址。", parameter="address")
    return answer(
        asked.address, entry=asked.entry.key, year=asked.year, scope=scope_for(request), district=asked.district
    )


def _meant(request: HttpRequest, asked: Question, found: Shown | None) -> list[tuple[str, str]]:
    """Return what an address that was not recognised may mean."""
    if found is None or found.answer.outcome not in ("unknown", "unclear"):
        return []
    meant = with_labels(candidates_for(Ask(q=asked.address), scope=scope_for(request), limit=SUGGESTED))
    return [(label, note) for label, note in meant if label not in (asked.address, found.answer.label)]


@never_cache
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """Return what the words typed so far may mean, as a fragment."""
    TYPING.allow_request(request)
    words = typed(request, "address").strip()[:LONGEST]
    found = with_labels(candidates_for(Ask(q=words), scope=scope_for(request), limit=SUGGESTED)) if words else []
    return render(request, "enrol/suggestions.html", {"words": words, "candidates": found})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to parents how the kindergarten of an address is found, and what to do with each answer."""
    return render(request, "help/enrol.html", {"ways": WAYS})
