"""What comments and suggestions keep of an account, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.modules.opinions.models import Comment, CommentFlag, Suggestion
from services.modules.opinions.queries import comments_by, spoken_aspects, suggestions_by


def comments(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account said of places."""
    for row in comments_by(user):
        stars = "，".join(f"{label} {count} 星" for label, count in [("总体", row.overall), *spoken_aspects(row)])
        yield {
            "时间": row.written_at,
            "机构": row.facility.name,
            "星级": stars,
            "点评": row.text,
            "状态": row.get_state_display(),
            "机构答复": row.reply,
        }


def forget_comments(user: User) -> int:
    """Delete what an account said of places."""
    return Comment.objects.filter(user=user).delete()[1].get("opinions.Comment", 0)


def flags(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the comments an account flagged."""
    for row in CommentFlag.objects.filter(user=user).select_related("comment__facility").order_by("pk"):
        yield {"时间": row.at, "机构": row.comment.facility.name, "为什么": row.get_why_display()}


def forget_flags(user: User) -> int:
    """Forget that an account flagged comments; how often each was flagged stays."""
    return CommentFlag.objects.filter(user=user).delete()[0]


def suggestions(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account suggested, and the answers."""
    for row in suggestions_by(user):
        yield {
            "时间": row.created_at,
            "关于": row.get_about_display(),
            "机构": row.facility.name if row.facility else "",
            "建议": row.text,
            "状态": row.get_state_display(),
            "答复": row.answer,
        }


def forget_author(user: User) -> int:
    """Forget who suggested: the suggestion stays without its author."""
    return Suggestion.objects.filter(user=user).update(user=None)


PERSONAL_PARTS = (
    PersonalPart(
        "place-comments", "点评", f"{__name__}:comments", f"{__name__}:forget_comments", models=("opinions.Comment",),
    ),
    PersonalPart(
        "comment-flags", "举报的点评", f"{__name__}:flags", f"{__name__}:forget_flags", models=("opinions.CommentFlag",),
    ),
    PersonalPart(
        "suggestions", "建议", f"{__name__}:suggestions", f"{__name__}:forget_author",
        kept="建议本身（说了什么、怎么答复）留给改进服务用，不再带您的账号。",
        models=("opinions.Suggestion",),
    ),
)  # fmt: skip
