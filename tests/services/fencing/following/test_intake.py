"""Positions in over signed HTTP: row by row, once, in any order, under changing fences; real tracks equal the slow reading."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.crs import SHANGHAI, System
from geo.fences.evaluate.positions import Position
from geo.fences.evaluate.tracking import FenceRule
from geo.geometry import from_plane
from geo.regions.queries import current_city
from services.access.clients.actions import change_client, stop_client_key, turn_client
from services.crypto.house import house_keys
from services.crypto.port import Purpose
from services.crypto.rotation import Renewal, sealed_tables
from services.crypto.sealing import key_of, newest_id, unseal
from services.fencing.following.books import LIMITS, followed_by
from services.fencing.following.intake import AT_REST, SILENT, TRACK_FIELD, put_to_rest, settle_silent
from services.fencing.following.models import Feed, FenceEvent, Following, Subject
from services.fencing.following.reading import Reported, Unread, read_rows
from services.fencing.live import live_fences
from tests.geo.fences.evaluate.reading import read
from tests.geo.fences.evaluate.traces import fences_along, tracks
from tests.services.fencing.following.platforms import (
    KEEPER,
    WANTED,
    Platform,
    edition,
    ms,
    platform,
    read_back,
    rows_of,
    told,
)
from tests.services.fencing.sets import HUANGPU, middle, square


def start(minutes: float = 60) -> int:
    """Return a moment so many minutes ago, in milliseconds."""
    return ms(timezone.now()) // 1000 * 1000 - round(minutes * 60_000)


def drive(begin: int, *, seconds: int = 120, every: int = 5, boot: int = 0) -> list[Position]:
    """Return a way at 10 m/s through the square of ``square(0, 0)``, 300 m before it to 900 m after."""
    x, y = middle()
    return [
        Position(begin + t * 1000, x - 450 + 10.0 * t, y - 100, 5.0, boot + t) for t in range(0, seconds, every)
    ]  # fmt: skip


def verdicts(answer: Any) -> list[str]:
    assert answer.status == 200, answer
    return [row["verdict"] for row in answer.said["rows"]]


@pytest.fixture
def truck(city: None) -> Platform:
    """Return a platform that follows entering and leaving a square of 100 m."""
    edition({"料场": square(0, 0)})
    made = platform()
    assert made.follow(cross=True).status == 200
    return made


# What is taken, and what is told


def test_a_way_through_a_fence_is_told_as_entering_and_leaving_without_a_position(truck: Platform) -> None:
    begin = start()
    answer = truck.report(rows_of("truck-1", drive(begin)))
    assert answer.said["counts"] == {"taken": 24}
    assert answer.said["events"] == 2
    entered, left = truck.events()
    assert (entered["kind"], left["kind"], entered["subject"], entered["fence_name"], entered["number"]) == (
        "enter", "exit", "truck-1", "料场", 1,
    )  # fmt: skip
    at = dt.datetime.fromisoformat(entered["at"])
    assert (ms(at), entered["inferred"], entered["purpose"], entered["edition"]) == (begin + 35_000, False, "alert", 1)
    assert ms(dt.datetime.fromisoformat(entered["after"])) == begin + 30_000
    assert set(entered) == {
        "id", "number", "subject", "kind", "fence", "fence_name", "purpose", "edition", "at", "after", "inferred",
    }  # fmt: skip


def test_a_batch_sent_again_and_again_in_any_order_changes_nothing(truck: Platform) -> None:
    rows = rows_of("truck-1", drive(start()))
    first = truck.report(rows)
    events = truck.events()
    for again in (rows, rows[::-1], rows[5:9] * 3):
        assert set(verdicts(truck.report(again))) <= {"late", "duplicate"}
    assert first.said["events"] == 2
    assert truck.events() == events
    assert Feed.objects.get(client=truck.row).last == 2


def test_the_track_is_sealed_and_nothing_readable_holds_a_position(truck: Platform) -> None:
    rows = rows_of("truck-1", drive(start()))
    truck.report(rows)
    subject = Subject.objects.get()
    plain = json.loads(unseal(subject.track, field=TRACK_FIELD, owner=subject.uid))
    assert plain["last"][1] == pytest.approx(read_back(rows)[-14].x, abs=200)
    assert subject.track.startswith("sm4g1:")
    kept = str(list(Subject.objects.values())) + str(list(FenceEvent.objects.values()))
    assert not any(f"{row['lon']:.4f}" in kept or f"{row['lat']:.4f}" in kept for row in rows)


def test_each_row_has_its_own_verdict_in_the_order_given(truck: Platform) -> None:
    begin, now = start(), ms(timezone.now())
    good = rows_of("truck-1", drive(begin, seconds=10))
    base = good[0]
    rows: list[Any] = [
        good[0],
        good[0],
        base | {"time": now + 180_000},
        base | {"accuracy": 500},
        base | {"lon": base["lat"], "lat": base["lon"]},
        base | {"time": begin - 8 * 86_400_000},
        base | {"subject": "13800000021"},
        base | {"subject": "李师傅"},
        base | {"lon": "121.47"},
        base | {"lon": float(10**18)},
        base | {"driver": "x"},
        base | {"time": "2026-11-23T08:00:00"},
        base | {"seq": -1},
        {**base, "seq": None, "boot": "b1"},
        base | {"accuracy": 0},
        "什么",
        good[1],
        base | {"time": begin - 61_000, "seq": 900},
    ]
    answer = truck.report(rows)
    assert verdicts(answer) == [
        "taken", "duplicate", "future", "inaccurate", "unplaced", "old", "subject_named", "unreadable", "unreadable",
        "unreadable", "unreadable", "unreadable", "unreadable", "unreadable", "unreadable", "unreadable", "taken", "late",
    ]  # fmt: skip
    assert [bool(row["said"]) for row in answer.said["rows"]] == [row != "taken" for row in verdicts(answer)]
    assert sum(answer.said["counts"].values()) == len(rows)
    assert Subject.objects.get().left_out == {"duplicate": 1, "future": 1, "inaccurate": 1, "unplaced": 1, "late": 1}


def test_positions_of_other_systems_are_converted_and_unknown_systems_refused(truck: Platform) -> None:
    plane = current_city().plane
    rows = rows_of("truck-1", drive(start()))
    metres = [row | {"lon": p.x, "lat": p.y} for row, p in zip(rows, read_back(rows), strict=True)]
    assert plane.system is System.SH2000
    assert truck.report(metres, crs="sh2000").said["events"] == 2
    assert truck.report(rows, crs="beijing54").status == 400


def test_ten_thousand_rows_in_one_batch_are_refused_whole_in_plain_words(truck: Platform) -> None:
    row = rows_of("truck-1", drive(start(), seconds=1))[0]
    few = truck.report([row] * 1_001)
    assert (few.status, few.said["code"], few.said["most"]) == (413, "positions_too_many", 1_000)
    many = truck.report([row] * 10_000)
    assert many.status == 413
    assert many.said["code"] in ("positions_too_many", "body_too_large")
    assert not Subject.objects.exists()


def test_a_jump_across_the_city_makes_no_event(truck: Platform) -> None:
    way = drive(start())
    x, y = middle()
    far = Position(way[8].time_ms + 2_000, x + 20_000, y - 30_000, 5.0, 777)
    answer = truck.report(rows_of("truck-1", [*way[:9], far, *way[9:]]))
    assert answer.said["events"] == 2
    assert Subject.objects.get().left_out == {"jump": 1}


# Devices that start anew


def test_a_device_that_numbers_anew_after_a_start_loses_nothing_when_it_says_so(truck: Platform) -> None:
    """The same numbers twice within a minute: with a mark of the start both are other positions."""
    begin = start()
    before, after = drive(begin, seconds=60, every=2), drive(begin, seconds=120, every=2)[30:]
    again = [Position(p.time_ms, p.x, p.y, p.accuracy_m, n) for n, p in enumerate(after)]
    again = [Position(p.time_ms, p.x, p.y, p.accuracy_m, before[n % 30].sequence) for n, p in enumerate(again)]
    end = Position(begin + 300_000, again[-1].x, again[-1].y, 5.0, 999)

    def left_out(subject: str, **boots: str) -> dict[str, int]:
        truck.report(rows_of(subject, before, **({"boot": boots["first"]} if boots else {})))
        truck.report(rows_of(subject, [*again, end], **({"boot": boots["second"]} if boots else {})))
        return dict(Subject.objects.get(ref=subject).left_out)

    assert left_out("silent").get("duplicate", 0) > 20, "without the mark the numbers look like copies"
    assert left_out("marked", first="b1", second="b2") == {}
    assert [kind for _, kind, *_ in sorted(told(truck.app, "marked"), key=lambda row: row[2])] == ["enter", "exit"]


# Fences that change on the way


def test_a_fence_that_a_new_edition_does_without_is_left_by_inference(truck: Platform) -> None:
    begin = start(10)
    x, y = middle()
    inside = [Position(begin + t * 1000, x - 100, y - 100, 5.0, t) for t in range(0, 120, 10)]
    truck.report(rows_of("truck-1", inside))
    assert [each["kind"] for each in truck.events()] == ["enter"]
    new = edition({"别处": square(400, 400)})
    late = [Position(begin + 120_000 + t * 1000, x - 100, y - 100, 5.0, 500 + t) for t in range(0, 120, 10)]
    truck.report(rows_of("truck-1", late))
    truck.report(rows_of("truck-1", late[-1:]))
    entered, left = truck.events()
    assert (left["kind"], left["inferred"], left["fence"], left["edition"]) == ("exit", True, entered["fence"], 1)
    assert new.from_moment is not None
    assert ms(dt.datetime.fromisoformat(left["at"])) == ms(new.from_moment)


def test_a_fence_with_another_shape_is_the_same_fence(truck: Platform) -> None:
    begin = start(10)
    x, y = middle()
    at = [Position(begin + t * 1000, x - 100, y - 100, 5.0, t) for t in range(0, 400, 10)]
    truck.report(rows_of("truck-1", at[:15]))
    edition({"料场": square(60, 60, 30, 30)})
    truck.report(rows_of("truck-1", at[15:]))
    assert [(each["kind"], each["edition"]) for each in truck.events()] == [("enter", 1), ("exit", 2)]
    assert len({each["fence"] for each in truck.events()}) == 1


# Silence


def test_who_falls_silent_is_settled_and_later_positions_still_count(truck: Platform) -> None:
    way = rows_of("truck-1", drive(start(), seconds=60))
    assert truck.report(way[:9]).said["events"] == 0
    now = timezone.now()
    assert settle_silent(now=now) == 0, "not yet silent"
    assert settle_silent(now=now + SILENT + dt.timedelta(seconds=5)) == 1
    assert [each["kind"] for each in truck.events()] == ["enter"]
    assert settle_silent(now=now + SILENT + dt.timedelta(seconds=9)) == 0
    assert verdicts(truck.report(way[9:])) == ["taken"] * 3


def test_after_a_day_no_position_is_kept_and_the_journey_goes_on(truck: Platform) -> None:
    begin = start()
    x, y = middle()
    inside = [Position(begin + t * 1000, x - 100, y - 100, 5.0, t) for t in range(0, 200, 10)]
    truck.report(rows_of("truck-1", inside))
    now = timezone.now()
    settle_silent(now=now + SILENT + dt.timedelta(seconds=5))
    assert put_to_rest(now=now + AT_REST - dt.timedelta(minutes=1)) == 0
    assert put_to_rest(now=now + AT_REST + dt.timedelta(minutes=1)) == 1
    subject = Subject.objects.get()
    plain = json.loads(unseal(subject.track, field=TRACK_FIELD, owner=subject.uid))
    assert (plain["last"], plain["waiting"], plain["doubted"]) == (None, [], [])
    assert [stay["outside"] for stay in plain["stays"].values()] == [None]
    assert verdicts(truck.report(rows_of("truck-1", inside[:3]))) == ["late"] * 3, "old batches are told from new ones"
    away = [Position(begin + 900_000 + t * 1000, x + 900, y - 100, 5.0, 300 + t) for t in range(0, 120, 10)]
    truck.report(rows_of("truck-1", away))
    assert [(each["kind"], each["inferred"]) for each in truck.events()] == [("enter", True), ("exit", True)]


# Who may


def test_what_is_followed_is_said_once_replaced_and_ended(truck: Platform) -> None:
    fence = str(live_fences().fences[0].same)
    assert truck.follow(cross=True).said["cross"] is True
    assert Following.objects.get().revision == 1, "said again it is the same"
    narrowed = truck.follow(fences=[fence], dwell_s=60, exit=False)
    assert (narrowed.said["fences"], narrowed.said["dwell_s"], narrowed.said["exit"]) == ([fence], 60, False)
    assert Following.objects.get().revision == 2
    listed = truck.call("GET", "followings", f"region={HUANGPU}")
    assert [each["purpose"] for each in listed.said] == ["alert"]
    assert truck.call("DELETE", "followings/alert", f"region={HUANGPU}").said == {"done": True}
    assert truck.call("DELETE", "followings/alert", f"region={HUANGPU}").said == {"done": False}
    assert truck.report(rows_of("truck-1", drive(start()))).said["events"] == 0


@pytest.mark.parametrize(
    ("purpose", "said", "code"),
    [
        ("nothing", {}, "fence_purpose_unknown"),
        ("alert", {"dwell_s": 5}, "dwell_out"),
        ("alert", {"approach_m": 5_000}, "approach_out"),
        ("alert", {"enter": False, "exit": False}, "nothing_wanted"),
        ("alert", {"fences": ["00000000-0000-4000-8000-000000000000"]}, "fence_unknown"),
        ("alert", {"fence": "x"}, "parameter_invalid"),
    ],
)
def test_what_cannot_be_followed_is_refused(truck: Platform, purpose: str, said: dict[str, Any], code: str) -> None:
    answer = truck.follow(purpose, **said)
    assert (answer.status, answer.said["code"]) == (400, code)
    assert Following.objects.get().revision == 1


def test_a_platform_follows_in_its_own_districts_only_and_sees_no_other_s_events(truck: Platform) -> None:
    other = platform("别的平台")
    assert other.call("PUT", "followings/alert", "region=310115", {}).said["code"] == "region_not_listed"
    truck.report(rows_of("truck-1", drive(start())))
    assert len(truck.events()) == 2
    assert other.events() == []
    assert other.report(rows_of("truck-1", drive(start()))).said["events"] == 0
    assert Subject.objects.filter(ref="truck-1").count() == 2, "the same id of another platform is another subject"


def test_a_district_taken_off_the_white_list_is_followed_no_more(truck: Platform) -> None:
    change_client(app=truck.app, wanted=replace(WANTED, regions=["310115"]), scope=KEEPER)
    assert not followed_by(truck.row).fences
    assert truck.report(rows_of("truck-1", drive(start()))).said["events"] == 0


def test_a_stopped_key_or_platform_is_not_answered(truck: Platform) -> None:
    stop_client_key(app=truck.app, label=truck.row.keys.get().label, scope=KEEPER)
    assert truck.call("GET", "events").status == 401
    other = platform("别的平台")
    turn_client(app=other.app, active=False, scope=KEEPER)
    assert other.call("GET", "events").status == 401


def test_events_are_read_page_by_page_and_their_numbers_have_no_gaps(truck: Platform) -> None:
    for number in range(7):
        truck.report(rows_of(f"truck-{number}", drive(start())))
    seen: list[int] = []
    after, more = 0, True
    while more:
        page = truck.call("GET", "events", f"after={after}&limit=3").said
        seen += [each["number"] for each in page["events"]]
        after, more = page["next"], page["more"]
    assert seen == list(range(1, 15))
    assert truck.call("GET", "events", "after=14").said == {"events": [], "next": 14, "more": False, "oldest": 1}
    assert truck.call("GET", "events", "after=-1").status == 400


# Together


@pytest.mark.usefixtures("live_city")
def test_the_same_batch_from_six_sides_at_once_counts_once() -> None:
    edition({"料场": square(0, 0)})
    made = platform()
    made.follow(cross=True)
    begin = start()
    batches = [rows_of(f"truck-{n}", drive(begin)) for n in range(4)]
    together, found = threading.Barrier(6), []

    def send(seed: int) -> None:
        side = Platform(made.app, made.secret)
        together.wait()
        try:
            for k in np.random.default_rng(seed).permutation(4):
                found.append(side.report(batches[k]).said["events"])
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 8
    events = made.all_events()
    assert [each["number"] for each in events] == list(range(1, 9))
    assert len({each["id"] for each in events}) == 8


# Real tracks


@pytest.mark.data
@pytest.mark.timeout(600)
def test_real_tracks_over_http_give_the_events_of_a_slow_reading(city: None, data_folder: Any) -> None:
    """Each track in batches of a network that holds back and repeats; the fences lie in the database as published."""
    made = platform()
    shift = start(0) - 6 * 86_400_000
    some = [(number, positions) for number, positions in tracks(data_folder) if number % 12 == 0]
    shapes, journeys = {}, {}
    for number, positions in some:
        rng = np.random.default_rng(number)
        moved = [
            Position(p.time_ms - some[0][1][0].time_ms + shift, p.x, p.y, p.accuracy_m, p.sequence) for p in positions
        ]
        journeys[f"track-{number}"] = moved
        for name, shape in fences_along(positions, rng).items():
            shapes[f"{number}-{name}"] = from_plane(shape, current_city())
    edition(shapes)
    wants = {"cross": True, "dwell_s": 30, "approach_m": 40}
    assert made.follow(**wants).status == 200
    live = live_fences()
    placed = dict(zip(live.index.ids, live.index.shapes, strict=True))
    rules = [FenceRule(name, cross=True, dwell_s=30, approach_m=40) for name in placed]
    tree = shapely.STRtree(list(placed.values()))
    count = 0
    for subject, positions in journeys.items():
        rng = np.random.default_rng(len(positions))
        rows = rows_of(subject, positions)
        heard = np.array([row["time"] for row in rows]) + rng.uniform(0, LIMITS.lateness_ms, len(rows))
        arrivals = [rows[k] for k in np.argsort(heard)]
        for a in range(0, len(arrivals), 150):
            assert made.report(arrivals[max(0, a - 30) : a + 150]).status == 200
        settle_silent(now=timezone.now() + SILENT * 2)
        way = shapely.LineString([(p.x, p.y) for p in positions]).buffer(1_000)
        near = [rules[k] for k in tree.query(way)]
        expected = read(read_back(rows), placed, near, LIMITS)
        assert told(made.app, subject) == expected, subject
        count += len(expected)
    assert count > 150
    assert len(made.all_events()) == count == Feed.objects.get().last


# Reading rows


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["subject", "seq", "boot", "time", "lon", "lat", "accuracy", "x"]), inner)
        ),
        max_leaves=12,
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_stands_in_a_row_is_read_or_refused(item: Any) -> None:
    [row] = read_rows([item], crs=System.WGS84, plane=SHANGHAI.plane, received_ms=10**12, oldest=dt.timedelta(days=7))
    assert isinstance(row, Unread | Reported)


def test_a_track_with_many_waiting_positions_is_sealed_anew_when_keys_rotate(truck: Platform) -> None:
    begin = start()
    way = [Position(begin + n * 100, *middle(), 5.0, n) for n in range(550)]
    truck.report(rows_of("truck-1", way))
    subject = Subject.objects.get()
    plain = unseal(subject.track, field=TRACK_FIELD, owner=subject.uid)
    assert len(plain) > 20_000
    house_keys().add_key(Purpose.SEAL)
    [table] = [each for each in sealed_tables() if each.model == "fencing_following.Subject"]
    table.renew(subject, Renewal(house_keys(), newest_id(Purpose.SEAL)))
    assert key_of(subject.track) == newest_id(Purpose.SEAL)
    assert unseal(subject.track, field=TRACK_FIELD, owner=subject.uid) == plain
