"""Whatever stands in the rows of kinds, declared kinds stay what code relies on, and every kind has its place. Invented rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadInput
from services.facilities.browsing.specs import SPARE, SPECS
from services.facilities.filters import BOUNDS, OWN_PARAMS, PART_KEYS
from services.facilities.kinds.book import AS_DECLARED, attributes_of, book_of
from services.facilities.kinds.declared import DECLARED, DECLARED_BY_KEY, GROUPS, Kind
from services.facilities.kinds.drafts import RESERVED, TYPE_NAMES, AttributeDraft, checked_attributes, free_key
from services.facilities.kinds.icons import ICONS

WORD = st.text("圈露营地农家乐渔港灯塔ABCabc012 _", min_size=1, max_size=12)
MOMENT = st.none() | st.datetimes(timezones=st.just(dt.UTC))
ROW = st.fixed_dictionaries(
    {
        "key": st.sampled_from([*DECLARED_BY_KEY, "luyingdi", "yugang", "nongjiale"]),
        "group": st.sampled_from([*GROUPS, "gone"]),
        "name": WORD,
        "icon": st.sampled_from(list(ICONS)),
        "attributes": st.just([])
        | st.just([{"key": "x"}])
        | st.just("nonsense")
        | st.just(DECLARED[0].attributes_as_data()),
        "order": st.integers(0, 60),
        "retired_at": MOMENT,
        "moved_at": MOMENT,
    }
)
ROWS = st.lists(ROW, max_size=40, unique_by=lambda row: row["key"])
DRAFT = st.builds(
    AttributeDraft,
    label=WORD,
    type=st.sampled_from([*TYPE_NAMES, "colour"]),
    unit=st.sampled_from(["", "元", "间"]),
    choices=st.lists(WORD, max_size=5).map(tuple),
    filterable=st.booleans(),
)


@given(ROWS)
def test_no_row_breaks_a_declared_kind(rows: list[dict[str, Any]]) -> None:
    book, said = book_of(rows, "mark"), {row["key"]: row for row in rows}
    for kind in DECLARED:
        now = book.by_key[kind.key]
        assert (now.group, now.attributes, now.names_roads) == (kind.group, kind.attributes, kind.names_roads)
        row = said.get(kind.key)
        assert (now.name, now.icon) == ((row["name"], row["icon"]) if row else (kind.name, kind.icon))
        assert now.retired is bool(row and row["retired_at"])
    assert {kind.key for kind in book.every} == set(DECLARED_BY_KEY) | set(said)
    assert len(book.every) == len(book.by_key)
    assert {kind.key for kind in book.offered} == {kind.key for kind in book.every if not kind.retired}


@given(ROWS)
def test_groups_stand_together_in_their_order(rows: list[dict[str, Any]]) -> None:
    order = [*GROUPS, "gone"]
    groups = [kind.group for kind in book_of(rows, "mark").every]
    assert groups == sorted(groups, key=order.index)


def test_without_rows_everything_is_as_declared() -> None:
    assert book_of([], None).every == AS_DECLARED.every == DECLARED


@given(st.lists(DRAFT, max_size=8))
def test_attributes_that_are_taken_have_keys_of_their_own_and_keep_them(drafts: list[AttributeDraft]) -> None:
    try:
        made = checked_attributes(drafts, (), AS_DECLARED)
    except BadInput:
        return
    declared = {one.key for kind in DECLARED for one in kind.attributes}
    keys = [one.key for one in made]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & (declared | RESERVED)
    assert all(key.isidentifier() and key.isascii() for key in keys)
    assert attributes_of(Kind("", "", "", "", made).attributes_as_data()) == made
    # Saved once more as the form shows them: keys and values of choices stay.
    again = tuple(
        AttributeDraft(one.label, one.type, one.unit, tuple(label for _, label in one.choices), one.filterable, one.key)
        for one in made
    )
    assert checked_attributes(again, made, AS_DECLARED) == made


@given(WORD, st.sets(st.sampled_from(["luyingdi", "luyingdi_2", "item", "a"])))
def test_a_key_is_free_and_fits_an_address(words: str, taken: set[str]) -> None:
    key = free_key(words, taken)
    assert key not in taken
    assert key.isascii()
    assert key.isidentifier()


def test_no_attribute_takes_a_word_that_addresses_use() -> None:
    words = {*OWN_PARAMS, *BOUNDS, *PART_KEYS, *SPARE}
    declared = {one.key for kind in DECLARED for one in kind.attributes}
    words |= {spec.param for spec in SPECS} | {spec.key for spec in SPECS}
    assert words - declared <= RESERVED


def test_declared_kinds_bear_icons_that_are_offered() -> None:
    assert {kind.icon for kind in DECLARED} <= set(ICONS)
