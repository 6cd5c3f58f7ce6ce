"""What people say of places and of the service: comments on a place, one's own comment, suggestions; all without script."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages as said
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from geo.errors import BadInput, CityError, NotFound
from geo.regions.queries import versions_of
from geo.scope import Scope
from services.access.models import User
from services.access.queries import scope_for
from services.crypto.identifiers import new_id
from services.facilities.places import Place
from services.facilities.queries import facility_detail
from services.modules.finder.queries import favourite_ids, marked_places
from services.modules.opinions import actions
from services.modules.opinions.models import Comment
from services.modules.opinions.queries import (
    answers_for,
    comment_of,
    comments_by,
    may_comment,
    published_comments,
    spoken_aspects,
    standing_of,
    suggestions_by,
)
from services.modules.opinions.suggesting import ANSWER_DAYS, suggest
from services.modules.opinions.words import (
    ABOUT,
    ASPECTS,
    FLAG_WHYS,
    LEAST_FOR_MEAN,
    MOST_ANSWER,
    MOST_WORDS,
    STAR_WORDS,
    STARS,
)
from web.api.errors import status_of
from web.doors.common.callers import user_of
from web.doors.common.typed import number_typed, typed

ON_A_PAGE: Final = 10
LATEST: Final = 3
TAGS: Final = {
    "new": ("warn", "clock"),
    "published": ("good", "check"),
    "refused": ("bad", "x"),
    "taken_down": ("bad", "x"),
}


def comment_shown(row: Comment) -> dict[str, Any]:
    """Return a comment as pages show it: its stars in words, and the look of its state."""
    return {"row": row, "aspects": spoken_aspects(row), "stars": "★" * row.overall, "look": TAGS[row.state]}


def said_of(place: Place) -> dict[str, Any] | None:
    """Return what stands on the page of a place of its comments; ``None`` for kinds that are not commented on."""
    if not may_comment(place):
        return None
    latest = [comment_shown(row) for row in published_comments(place.id)[:LATEST]]
    return {"standing": standing_of(place.id), "latest": latest, "least": LEAST_FOR_MEAN}


def commented_place(request: HttpRequest, place_id: int) -> Place:
    """Return a place that may be commented on. Raises ``NotFound``."""
    place = facility_detail(place_id, scope=scope_for(request)).place
    if not may_comment(place):
        raise NotFound("comment_closed", "这类机构还没有开放点评。")
    return place


@never_cache
@require_safe
def comments_page(request: HttpRequest, place_id: int) -> HttpResponse:
    """Show what is said of a place to everybody, and to its institution the place for its answer."""
    return _comments(request, place_id)


def _comments(request: HttpRequest, place_id: int, fault: CityError | None = None) -> HttpResponse:
    place = commented_place(request, place_id)
    user = request.user if isinstance(request.user, User) else None
    mine = comment_of(user, place_id) if user else None
    page = Paginator(published_comments(place_id), ON_A_PAGE).get_page(typed(request, "page"))
    context = {
        "place": place,
        "standing": standing_of(place_id),
        "least": LEAST_FOR_MEAN,
        "page": page,
        "comments": [comment_shown(row) for row in page.object_list],
        "mine": comment_shown(mine) if mine else None,
        "signed": user is not None,
        "may_answer": answers_for(scope_for(request), place_id),
        "whys": FLAG_WHYS,
        "most": MOST_ANSWER,
        "fault": fault,
    }
    return render(request, "eldermap/comments.html", context, status=status_of(fault) if fault else 200)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def comment_page(request: HttpRequest, place_id: int) -> HttpResponse:
    """Ask what somebody thinks of a place, and keep it; what is refused is said beside the form, which keeps what was typed."""
    place, user = commented_place(request, place_id), user_of(request)
    fault: CityError | None = None
    if request.method == "POST":
        try:
            if typed(request, "act") == "drop":
                actions.drop_comment(user=user, place_id=place_id)
                said.success(request, "您的点评已经删除。")
                return redirect("place-comments", place_id)
            actions.write_comment(
                user=user,
                place_id=place_id,
                overall=number_typed(request, "overall"),
                aspects={key: number_typed(request, f"aspect-{key}") for key, _ in ASPECTS},
                text=typed(request, "text"),
                seen=number_typed(request, "seen"),
                scope=scope_for(request),
            )
        except CityError as refused:
            fault = refused
        else:
            said.success(request, "谢谢您。审核以后大家就能看到，结果会发到“我的消息”。")
            return redirect("elder-comments")
    row = comment_of(user, place_id)
    context = {
        "place": place,
        "row": row,
        "form": _typed_comment(request, row) if fault else _kept_comment(row),
        "aspects": ASPECTS,
        "stars": [(star, STAR_WORDS[star]) for star in STARS],
        "most": MOST_WORDS,
        "fault": fault,
    }
    return render(request, "eldermap/comment.html", context, status=status_of(fault) if fault else 200)


def _kept_comment(row: Comment | None) -> dict[str, Any]:
    if row is None:
        return {"overall": 0, "aspects": {}, "text": "", "seen": 0}
    return {"overall": row.overall, "aspects": row.aspects, "text": row.text, "seen": row.version}


def _typed_comment(request: HttpRequest, row: Comment | None) -> dict[str, Any]:
    """Return what was typed; after a conflict the version that is there now is the one that is changed next."""
    return {
        "overall": number_typed(request, "overall"),
        "aspects": {key: number_typed(request, f"aspect-{key}") for key, _ in ASPECTS},
        "text": typed(request, "text"),
        "seen": row.version if row else 0,
    }


@login_required
@require_POST
def flag(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take somebody's word that a comment should not be public."""
    row = actions.flag_comment(user=user_of(request), pk=comment_id, why=typed(request, "why"))
    said.success(request, "谢谢您，我们会再审核一次这条点评。")
    return redirect("place-comments", row.facility_id)


@login_required
@require_POST
def reply(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Take the institution's answer to a comment."""
    try:
        row = actions.reply_to_comment(pk=comment_id, text=typed(request, "reply"), scope=scope_for(request))
    except BadInput as refused:
        return _comments(request, number_typed(request, "place"), refused)
    said.success(request, "答复已提交，审核以后公开。每条点评只答复一次。")
    return redirect("place-comments", row.facility_id)


@never_cache
@login_required
@require_safe
def my_comments(request: HttpRequest) -> HttpResponse:
    """Show what the caller said of places, and the kept places nothing was said of yet."""
    user = user_of(request)
    rows = list(comments_by(user))
    done = {row.facility_id for row in rows}
    kept = marked_places(favourite_ids(user), scope=scope_for(request))
    todo = [one.place for one in kept if one.place and one.id not in done and may_comment(one.place)]
    context = {"comments": [comment_shown(row) for row in rows], "todo": todo}
    return render(request, "eldermap/my_comments.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def suggestions(request: HttpRequest) -> HttpResponse:
    """Take a suggestion, and show those made before with their answers."""
    user, fault = user_of(request), None
    place_id = number_typed(request, "place")
    place = facility_detail(place_id, scope=scope_for(request)).place if place_id else None
    if request.method == "POST":
        try:
            suggest(
                mark=_mark(request),
                user=user,
                about=typed(request, "about"),
                text=typed(request, "text"),
                region=typed(request, "region")[:20],
                place_id=place_id or None,
                scope=scope_for(request),
            )
        except CityError as refused:
            fault = refused
        else:
            said.success(request, f"谢谢您。{ANSWER_DAYS} 个工作日内答复，结果会发到“我的消息”。")
            return redirect("elder-suggestions")
    context = {
        "place": place,
        "about": ABOUT,
        "regions": streets(),
        "most": MOST_WORDS,
        "days": ANSWER_DAYS,
        "key": typed(request, "key") if fault else new_id(),
        "form": {name: typed(request, name) for name in ("about", "text", "region")},
        "rows": list(suggestions_by(user)[:50]),
        "fault": fault,
    }
    return render(request, "eldermap/suggestions.html", context, status=status_of(fault) if fault else 200)


def _mark(request: HttpRequest) -> UUID:
    try:
        return UUID(typed(request, "key"))
    except ValueError:
        raise BadInput("key_missing", "页面已过期，请刷新后再写一次。") from None


def streets() -> list[tuple[str, str, str]]:
    """Return the streets of the city as code, name and district, district by district."""
    regions = list(versions_of(scope=Scope.public()).filter(level__in=("district", "street")))
    names = {each.region_id: each.name for each in regions}
    found = [(each.code, each.name, names.get(each.parent_id or 0, "")) for each in regions if each.level == "street"]
    return sorted(found, key=lambda one: one[0])
