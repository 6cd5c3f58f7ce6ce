"""Markup that stands on a page by the dozen, put together in one go: as a template each row takes ten times as long.

Every value is escaped unless it is markup already. What a page has once stays in its template.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final

from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString

from services.facilities.browsing.queries import CountedOption, Facet
from services.facilities.places import Place
from web.doors.finder.asking import KindMenu
from web.doors.finder.shown import Row, Tag

if TYPE_CHECKING:
    from web.doors.finder.find import FilterChip

NOTHING: Final = SafeString("")


def filled(markup: str, *values: object) -> SafeString:
    """Return markup with its ``{}`` filled by values, as ``format_html`` does for values that are no lazy texts."""
    return SafeString(markup.format(*[one if isinstance(one, SafeString) else escape(str(one)) for one in values]))


def joined(parts: Iterable[str]) -> SafeString:
    """Return pieces of markup as one."""
    return SafeString("".join(parts))


@lru_cache(maxsize=512, typed=True)
def icon(name: str, label: str = "") -> SafeString:
    """Return an icon of the sprite; it is decoration unless a ``label`` names it."""
    href = f"{static('vendor/icons.svg')}#{name}"
    if label:
        return filled('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return filled('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', href)


# What is chosen from: options of a list, boxes with their counts, chips of kinds


def options(choices: Iterable[tuple[object, object]], chosen: object = None) -> SafeString:
    """Return the options of a list, each a value and its words."""
    return joined(
        filled('<option value="{}"{}>{}</option>', value, SafeString(" selected" if value == chosen else ""), words)
        for value, words in choices
    )


@lru_cache(maxsize=256)
def kind_options(menu: KindMenu, chosen: str) -> SafeString:
    """Return all kinds by group as options of a list."""
    return joined(
        filled('<optgroup label="{}">{}</optgroup>', group, options(((one.key, one.name) for one in kinds), chosen))
        for group, kinds in menu
    )


@lru_cache(maxsize=256)
def kind_chips(menu: KindMenu, chosen: str) -> SafeString:
    """Return all kinds by group as chips of which one is ticked."""
    return joined(
        filled(
            "\n        <fieldset><legend>{}</legend>\n"
            '          <div class="chips">{}</div>\n        </fieldset>\n        ',
            group,
            joined(
                filled(
                    '<label class="chip"><input type="radio" name="kinds" id="more-{}" value="{}" data-auto{}>'
                    "<span>{}</span></label>",
                    *(one.key, one.key, SafeString(" checked" if one.key == chosen else ""), one.name),
                )
                for one in kinds
            ),
        )
        for group, kinds in menu
    )


def filter_chips(chips: Iterable[FilterChip]) -> SafeString:
    """Return chips that narrow the answer of the first door."""
    return joined(
        filled(
            '<label class="chip tick"><input form="find" type="checkbox" id="filter-{}-{}" name="{}" value="{}" data-auto{}>'
            '<span>{}<b class="when-on" aria-hidden="true">×</b></span></label>\n',
            *(chip.name, chip.value, chip.name, chip.value, SafeString(" checked" if chip.on else ""), chip.label),
        )
        for chip in chips
    )


def counted_options(found: Iterable[CountedOption]) -> SafeString:
    """Return the values of a filter as options of a list, each with its count."""
    return joined(
        filled('<option value="{}"{}>{}（{}）</option>', one.value, _state(one, " selected"), one.label, one.count)
        for one in found
    )


def counted_boxes(facet: Facet) -> SafeString:
    """Return the values of a filter as boxes to tick, each with its count; a filter that is one box bears its own name."""
    spec = facet.spec
    return joined(
        filled(
            '<label class="check{}"><input type="checkbox" id="f-{}" name="{}" value="{}" data-auto{}><span>{}</span>'
            '<span class="count">{}</span></label>',
            SafeString("" if one.is_open else " off"),
            spec.key
            if spec.control == "check"
            else f"{spec.param if spec.control == 'hours' else spec.key}-{one.value}",
            *(spec.param, one.value, _state(one, " checked")),
            *(spec.label if spec.control == "check" else one.label, one.count),
        )
        for one in facet.options
    )


def _state(option: CountedOption, chosen: str) -> SafeString:
    return SafeString(chosen if option.on else "" if option.is_open else " disabled")


# What people do with a place


def compare_tick(place: Place) -> SafeString:
    """Return the box that puts a place among those to compare."""
    return filled(
        '<label class="compare-tick"><input type="checkbox" name="ids" value="{}" form="compare-form" data-compare="{}">'
        '<span>比较<span class="visually-hidden">{}</span></span></label>\n',
        *(place.id, place.id, place.name),
    )


def save_button(place: Place, saved: Collection[int], *, look: str = "save-button", named: bool = False) -> SafeString:
    """Return the button that marks a place or forgets it; ``named`` where several stand on a page."""
    kept = place.id in saved
    return filled(
        '<button class="{}" type="submit" form="view-form" formaction="{}" name="{}" value="{}" data-save="{}"'
        ' aria-pressed="{}">{}<span data-save-words>{}</span>{}</button>\n',
        *(look, _mark_url(), "drop" if kept else "keep", place.id, place.id, "true" if kept else "false"),
        *(icon("star"), "已收藏" if kept else "收藏"),
        filled('<span class="visually-hidden">{}</span>', place.name) if named else NOTHING,
    )


@lru_cache(maxsize=1)
def _mark_url() -> str:
    return reverse("saved-mark")


# Rows


def list_rows(rows: Iterable[Row], saved: Collection[int]) -> SafeString:
    """Return rows of the list of all institutions; ``saved`` are the places the caller marked."""
    return joined(_list_row(row, saved) for row in rows)


def _list_row(row: Row, saved: Collection[int]) -> SafeString:
    place = row.place
    return filled(
        _LIST_ROW,
        *_marks(place, saved),
        icon(place.icon),
        *(row.url, place.name, place.id, _hidden(place, saved), icon("star")),
        *(place.kind_name, place.address or "地址没有登记"),
        _line("row-why", getattr(row, "why", "")),
        _vacancy(row.vacancy) or NOTHING,
        filled('<p class="row-open">走路 {}</p>', row.minutes) if row.seconds is not None else NOTHING,
        _figure("row-minutes", row.straight, ' title="直线距离"'),
        *(_opening(row), compare_tick(place), save_button(place, saved, named=True)),
    )


_LIST_ROW: Final = """<li class="row list-row{}" data-id="{}">
  <span class="candidate-icon">{}</span>
  <div class="row-main">
    <a class="row-name" href="{}">{}</a> <span class="tag kind" data-marked="{}"{}>{}已收藏</span>
    <p class="row-facts">{} · {}</p>
    {}
    {}
  </div>
  <div class="row-figures">
    {}
    {}
    {}
    <p class="row-acts">{}{}</p>
  </div>
</li>"""


def circle_rows(rows: Iterable[Row], saved: Collection[int], selected: int | None) -> SafeString:
    """Return rows of what can be reached; ``selected`` is the place whose card is open."""
    return joined(_circle_row(row, saved, row.place.id == selected) for row in rows)


def _circle_row(row: Row, saved: Collection[int], selected: bool) -> SafeString:
    place, region = row.place, row.place.region
    marked, number = _marks(place, saved)
    where = place.address or (region.full_name if region else "")
    return filled(
        _CIRCLE_ROW,
        *(SafeString(" selected" if selected else ""), marked, number, row.rank),
        *(SafeString(" quiet" if row.is_quiet else ""), row.rank),
        *(row.url, place.id, SafeString(' aria-current="true"' if selected else ""), place.name),
        *(place.id, _hidden(place, saved), icon("star")),
        filled(' <span class="tag good">{}推荐</span>', icon("sparkles")) if row.recommended else NOTHING,
        row.facts,
        _line("row-why", row.recommended),
        _vacancy(row.vacancy) or filled('<p class="row-status caption">{}</p>', where),
        _figure("row-minutes", row.minutes),
        _line("row-metres", row.along or ""),
        _opening(row),
    )


_CIRCLE_ROW: Final = """<li class="row{}{}" data-id="{}" data-rank="{}">
  <span class="rank{}">{}</span>
  <div class="row-main">
    <a class="row-name" href="{}" data-place="{}"{}>{}</a> <span class="tag kind" data-marked="{}"{}>{}已收藏</span>{}
    <p class="row-facts">{}</p>
    {}
    {}
  </div>
  <div class="row-figures">
    {}
    {}
    {}
  </div>
</li>
"""


def _marks(place: Place, saved: Collection[int]) -> tuple[SafeString, int]:
    return SafeString(" marked" if place.id in saved else ""), place.id


def _hidden(place: Place, saved: Collection[int]) -> SafeString:
    return SafeString("" if place.id in saved else " hidden")


def _line(look: str, words: object) -> SafeString:
    return filled('<p class="{}">{}</p>', look, words) if words else NOTHING


def _figure(look: str, figure: Sequence[str] | None, more: str = "") -> SafeString:
    if figure is None:
        return NOTHING
    return filled('<p class="{}"{}>{} <span class="unit">{}</span></p>', look, SafeString(more), *figure)


def _vacancy(tag: Tag | None) -> SafeString | None:
    if tag is None:
        return None
    return filled(
        '<p class="row-status"><span class="tag {}">{}{}</span> <span class="caption">{}</span></p>',
        *(tag.tone, icon(tag.icon), tag.text, tag.since),
    )


def _opening(row: Row) -> SafeString:
    word = row.open_word
    if not word:
        return NOTHING
    state = "open" if row.place.opening.open else "shut"
    return filled('<p class="row-open"><span class="{}">{}</span> {}</p>', state, word, row.open_note)
