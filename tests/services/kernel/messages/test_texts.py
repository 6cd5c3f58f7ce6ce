"""Texts with fields, lengths of short messages, numbers, quiet hours: the pure parts."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadInput
from services.kernel.messages.message_events import EVENTS
from services.kernel.messages.phones import normal_phone
from services.kernel.messages.quiet import Quiet, first_allowed, next_morning
from services.kernel.messages.registry import events
from services.kernel.messages.spec import Event, EventField, Text
from services.kernel.messages.texts import check_text, fields_of, filled, plain_value, sms_length

EVENT = Event(
    key="t",
    title="测试",
    fields=(EventField("甲", "一"), EventField("乙", "二")),
    texts={"sms": Text("{甲}"), "in_app": Text("{甲}", "{乙}")},
)
CITY = ZoneInfo("Asia/Shanghai")


def test_the_declared_events_are_found() -> None:
    assert set(events()) >= {event.key for event in EVENTS}


@given(st.dictionaries(st.sampled_from(["甲", "乙"]), st.text(max_size=50), min_size=2))
def test_filling_in_is_replacement_once(values: dict[str, str]) -> None:
    assert filled("前{甲}中{乙}后{甲}", values) == "前{}中{}后{}".format(
        plain_value(values["甲"]), plain_value(values["乙"]), plain_value(values["甲"])
    )


@pytest.mark.parametrize("value", ["{乙}", "=1+1", "<script>", "{{甲}}", "%s", "${甲}"])
def test_what_a_value_holds_is_never_read(value: str) -> None:
    assert filled("{甲}", {"甲": value, "乙": "错"}) == value


def test_a_value_is_one_short_line() -> None:
    assert plain_value("一\n二\r\n\t三\x00 ") == "一 二 三"
    assert plain_value("字" * 200) == "字" * 99 + "…"


def test_a_field_without_a_value() -> None:
    with pytest.raises(BadInput) as missing:
        filled("{甲}{丙}", {"甲": "一"})
    assert missing.value.detail == {"field": "丙"}


@pytest.mark.parametrize(
    ("channel", "title", "body", "code"),
    [
        ("sms", "", "{丙}", "field_unknown"),
        ("sms", "", "{甲", "brace_alone"),
        ("sms", "", "甲}", "brace_alone"),
        ("sms", "", "{}", "brace_alone"),
        ("sms", "", "  ", "text_empty"),
        ("sms", "标题", "正文", "title_unused"),
        ("sms", "", "一\n二", "text_lines"),
        ("sms", "", "字" * 336, "text_too_long"),
        ("in_app", "", "正文", "text_empty"),
        ("in_app", "题" * 61, "正文", "text_too_long"),
    ],
)
def test_texts_that_are_refused(channel: str, title: str, body: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_text(EVENT, channel, title, body)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_fields_in_their_order() -> None:
    assert fields_of("{乙}{甲}{乙}") == ["乙", "甲"]


@pytest.mark.parametrize(
    ("characters", "segments"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4), (335, 5)]
)
def test_segments(characters: int, segments: int) -> None:
    assert sms_length("字" * characters).segments == segments
    assert sms_length("字" * characters).characters == characters


def test_emoji_count_two() -> None:
    assert sms_length("👍").characters == 2


@pytest.mark.parametrize(
    "typed",
    ["13800000000", "138 0000 0000", "+86 138-0000-0000", "008613800000000", "１３８００００００００", "8613800000000"],
)
def test_numbers_as_typed(typed: str) -> None:
    assert normal_phone(typed) == "13800000000"


@pytest.mark.parametrize(
    "typed", ["", "1380000000", "138000000000", "12800000000", "021-12345678", "١٣٨٠٠٠٠٠٠٠٠", "+1 13800000000"]
)
def test_what_is_no_mobile_number(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        normal_phone(typed)
    assert typed not in refused.value.message or not typed


times = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=dt.UTC))


@given(times, times, moments)
def test_the_first_allowed_moment_is_the_first(begin: dt.time, end: dt.time, moment: dt.datetime) -> None:
    quiet = Quiet(begin, end)
    found = first_allowed(moment, quiet, CITY)
    assert not quiet.covers(found.astimezone(CITY).time())
    assert moment <= found < moment + dt.timedelta(days=1)
    step = moment
    while step < found:  # by brute force: every quarter of an hour before it is quiet
        assert quiet.covers(step.astimezone(CITY).time())
        step += dt.timedelta(minutes=15)
    morning = next_morning(moment, quiet, CITY)
    assert morning.astimezone(CITY).date() > moment.astimezone(CITY).date() or begin == end
    assert not quiet.covers(morning.astimezone(CITY).time())


@pytest.mark.parametrize(
    ("clock", "allowed"),
    [
        ("20:59", "11 20:59"),
        ("21:00", "12 08:00"),
        ("23:30", "12 08:00"),
        ("00:10", "11 08:00"),
        ("07:59", "11 08:00"),
        ("08:00", "11 08:00"),
    ],
)
def test_the_night(clock: str, allowed: str) -> None:
    at = dt.datetime.combine(dt.date(2026, 5, 11), dt.time.fromisoformat(clock), CITY)
    found = first_allowed(at.astimezone(dt.UTC), Quiet(dt.time(21), dt.time(8)), CITY).astimezone(CITY)
    assert f"{found:%d %H:%M}" == allowed
