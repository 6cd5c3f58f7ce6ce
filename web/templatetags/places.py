"""Template tags of places: as of when and from whom a fact is known."""

from __future__ import annotations

from django import template

from services.facilities.known import Known
from web.doors.finder.cards import day

register = template.Library()


@register.filter
def since(fact: Known) -> str:
    """Return the day a fact is known of and who says so: 截至 11月18日 · 机构填报."""
    known = f"截至 {day(fact.as_of)}" if fact.as_of else "没有注明日期"
    return f"{known} · {fact.source or '来源未注明'}"
