"""Names found by what was typed, against looking through all of them: every way of typing, every mistake, and the order."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np
import pytest

from fixtures.city import generate
from geo.addresses.suggesting.named import Found, Named, NameList, list_of
from geo.addresses.suggesting.ranking import OTHER_NAME_STEPS, Fit, Suggestion, best
from geo.addresses.suggesting.sounds import alike, sounds
from geo.addresses.suggesting.typing import beginning_but_one, mistaken_letters
from geo.names import plain

EXTRA = (
    "重庆中路",
    "长乐路",
    "莘庄地铁站",
    "肯德基KFC",
    "东方路1弄",
    "东方路12弄",
    "A8大厦",
    "西藏北路",
    "绿地新都会",
    "国权路",
    "国权北路",
)
HERE = (121.5, 31.29)


@cache
def things() -> tuple[Named, ...]:
    city = generate("tiny", 2025)
    chance = random.Random(1)
    every = dict.fromkeys([*filter(None, map(str, city.roads.name)), *(site.name for site in city.communities)])
    names = dict.fromkeys([*EXTRA, *list(every)[::6]])
    found = []
    for number, name in enumerate(names, 1):
        lon, lat = HERE[0] + chance.uniform(-0.2, 0.2), HERE[1] + chance.uniform(-0.2, 0.2)
        others = [(f"{name}旧称", f"原{name}旧称")] if number % 7 == 0 else []
        held = f"杨浦区{chance.choice(EXTRA)}5号" if number % 5 == 0 else ""
        steps = chance.choice((0.5, 1.0, 2.5))
        found.append(Named(number, name, lon, lat, chance.choice((20.0, 900.0)), 1 + number % 3, steps, others, held))
    return tuple(found)


@cache
def names() -> NameList:
    return list_of("road", things())


def where(region_id: int, tag: str) -> str:
    return f"{region_id}区"


def fits(found: Found) -> dict[int, int]:
    """Return the fit of each thing that was found, by its id."""
    return {int(names().ids[at]): int(found.rank[at]) // 3 for at in np.flatnonzero(found.rank < 1_000)}


def called(found: Found) -> list[str]:
    return [things()[number - 1].name for number in fits(found)]


def syllables(sign: str) -> list[str]:
    return [sounds().syllables[number] for number in sounds().readings(sign)]


def queries() -> Iterator[str]:
    """Yield pieces of names and of nothing."""
    chance = random.Random(3)
    for thing in things()[::4]:
        name = plain(thing.name)
        start = chance.randrange(len(name))
        yield name[start : start + chance.randint(1, 4)]
        yield name[: chance.randint(1, len(name))]
    yield from ("路", "弄", "1", "大", "绝无此名", "东方路1")


class TestAsTyped:
    def test_characters_find_what_holds_them_and_say_how(self) -> None:
        for typed in dict.fromkeys(queries()):
            expected: dict[int, int] = {}
            for thing in things():
                ranked = []
                for text in (thing.name, *(other for other, _ in thing.others)):
                    if typed in plain(text):
                        whole, begins = plain(text) == typed, plain(text).startswith(typed)
                        ranked.append(Fit.WHOLE if whole else Fit.BEGINS if begins else Fit.HOLDS)
                if typed in plain(thing.held):
                    ranked.append(Fit.SCATTERED)
                if ranked:
                    expected[thing.id] = min(ranked)
            assert fits(names().matching(typed)) == expected, typed

    def test_every_beginning_of_the_pinyin_in_every_reading_finds_the_name(self) -> None:
        for thing in things():
            spelt = [""]
            for sign in plain(thing.name):
                if not syllables(sign) or sign.isascii():
                    break
                spelt = [before + said.lstrip("'") for before in spelt for said in syllables(sign)]
            for letters in spelt:
                for size in range(1, len(letters) + 1):
                    found = fits(names().matching(letters[:size]))
                    assert found.get(thing.id, 99) <= Fit.BEGINS, (thing.name, letters[:size])

    def test_initials_find_the_name(self) -> None:
        for thing in things():
            letters = "".join(syllables(sign)[0].lstrip("'")[0] for sign in plain(thing.name) if syllables(sign))
            if len(letters) == len(plain(thing.name)) > 1:
                assert fits(names().matching(letters)).get(thing.id, 99) <= Fit.HOLDS, (thing.name, letters)

    def test_any_mixture_of_characters_pinyin_and_initials_finds_the_name(self) -> None:
        chance = random.Random(8)
        for thing in things():
            signs = []
            for sign in plain(thing.name):
                said = [syllable.lstrip("'") for syllable in syllables(sign)]
                signs.append(chance.choice([sign, *said, *(one[0] for one in said)]))
            typed = "".join(signs)
            assert thing.id in fits(names().matching(typed)), (thing.name, typed)

    def test_words_apart_are_all_held_somewhere(self) -> None:
        road = next(thing for thing in things() if thing.held)
        held = plain(road.held)
        found = fits(names().holding_words(f"{road.name[:2]} {held[3:6]}"))
        assert found[road.id] == Fit.SCATTERED
        for thing in things():
            texts = [plain(text) for text in (thing.name, thing.held, *(other for other, _ in thing.others))]
            both = all(any(word in text for text in texts) for word in (road.name[:2], held[3:6]))
            assert (thing.id in found) == both
        assert fits(names().holding_words("国权路")) == {}

    @pytest.mark.parametrize("typed", ["", "\0", "😀", "%", "_", "uuu", "国" * 300, "zh" * 100])
    def test_what_cannot_be_meant_finds_nothing(self, typed: str) -> None:
        for find in (names().matching, names().sounding_like, names().mistyped, names().holding_words):
            assert fits(find(plain(typed))) == {}


class TestCorrected:
    def test_every_single_character_replaced_by_one_that_sounds_the_same_finds_the_name(self) -> None:
        by_sound: dict[str, list[str]] = {}
        for code in range(0x4E00, 0x9FA6):
            for said in syllables(chr(code)):
                by_sound.setdefault(said, []).append(chr(code))
        for thing in things():
            name = plain(thing.name)
            for at, sign in enumerate(name):
                same = [other for said in syllables(sign) for other in by_sound.get(said, [])[:3] if other != sign]
                for other in same:
                    found = fits(names().sounding_like(f"{name[:at]}{other}{name[at + 1 :]}"))
                    assert found.get(thing.id) in ((Fit.SOUNDS,) if len(name) > 1 else (None,)), (name, other)

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("国泉路", "国权路"), ("果圈路", "国权路"), ("国全北陆", "国权北路"), ("常乐路", "长乐路"), ("张乐路", "长乐路"), ("掌悦路", "长乐路"), ("中青中路", "重庆中路"),
         ("新庄地铁", "莘庄地铁站"), ("guoquanlv", "国权路"), ("lvdixindu", "绿地新都会"), ("ludixindu", "绿地新都会"), ("zongqing", "重庆中路")],
    )  # fmt: skip
    def test_what_sounds_nearly_the_same(self, typed: str, meant: str) -> None:
        assert meant in called(names().sounding_like(typed))

    def test_what_sounds_alike_is_all_that_is_found(self) -> None:
        for typed in ("国泉路", "政力", "东方路12弄"):
            heard = [[alike(said) for said in syllables(sign)] or [sign] for sign in typed]
            found = fits(names().sounding_like(typed))
            for thing in things():
                said = [[alike(one) for one in syllables(sign)] or [sign] for sign in plain(thing.name)]
                matches = any(
                    all(set(heard[k]) & set(said[start + k]) for k in range(len(heard)))
                    for start in range(len(said) - len(heard) + 1)
                )
                if not thing.others:
                    assert (thing.id in found) == matches, (typed, thing.name)

    def test_one_mistake_in_characters_finds_just_what_differs_by_one(self) -> None:
        chance = random.Random(11)
        for thing in things()[::3]:
            typed = misspelt(plain(thing.name), chance)
            if not typed.isalpha() or any(sign.isascii() for sign in typed):
                continue
            expected = {
                other.id
                for other in things()
                if any(one_mistake(typed, plain(text)) for text in (other.name, *(alias for alias, _ in other.others)))
            }
            assert set(fits(names().mistyped(typed))) == expected, typed

    def test_one_wrong_letter_finds_just_what_differs_by_one(self) -> None:
        chance = random.Random(12)
        spelt = {thing.id: spellings(thing) for thing in things()}
        for thing in things()[::4]:
            letters = misspelt(
                next(iter(spelt[thing.id]))[: chance.randint(5, 14)], chance, "abcdefghijklmnopqrstuvwxyz"
            )
            if len(letters) < 5:
                continue
            expected = {
                other
                for other, words in spelt.items()
                if any(one_mistake(letters, word, letters=True) for word in words)
            }
            assert set(fits(names().mistyped(letters))) == expected, letters

    def test_a_number_is_never_guessed(self) -> None:
        for typed in ("东方路13弄", "东方路2弄", "东方路21弄", "东方路1号", "A9大厦"):
            for find in (names().sounding_like, names().mistyped):
                found = called(find(plain(typed)))
                assert not {"东方路1弄", "东方路12弄", "A8大厦"} & set(found), (typed, found)
        assert "东方路12弄" in called(names().mistyped("东冈路12弄"))

    def test_few_letters_are_not_mended(self) -> None:
        assert mistaken_letters("guo") == mistaken_letters("国权") == ()
        assert len(mistaken_letters("guoq")) == len(set(mistaken_letters("guoq"))) > 100


def misspelt(name: str, chance: random.Random, signs: str = "天地玄黄宇宙") -> str:
    at = chance.randrange(len(name))
    edits: list[Callable[[], str]] = [
        lambda: name[:at] + chance.choice(signs) + name[at + 1 :],
        lambda: name[:at] + name[at + 1 :],
        lambda: name[:at] + chance.choice(signs) + name[at:],
        lambda: name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
    ]
    return chance.choice(edits)()


def one_mistake(typed: str, name: str, *, letters: bool = False) -> bool:
    """Say whether a name begins with what was typed, which has no digits, but for one mistake, by trying every one."""
    if not letters and typed.isascii():
        return False
    size = len(typed)
    tried: list[str] = []
    for at in range(size):
        here, there = typed[at], typed[at + 1 : at + 2]
        if at + 1 < size:
            tried.append(typed[:at] + there + here + typed[at + 2 :])
        meant = name[at : at + 1]
        if size > 2:
            tried.append(typed[:at] + typed[at + 1 :])
        if size > 2 and meant and not meant.isdecimal():
            tried.append(typed[:at] + meant + typed[at + 1 :])
        if (at > 0 or letters) and meant and not meant.isdecimal():
            tried.append(typed[:at] + meant + typed[at:])
    return any(name.startswith(one) for one in tried if not letters or one != typed)


def spellings(thing: Named) -> set[str]:
    found = set()
    for text in (thing.name, *(other for other, _ in thing.others)):
        for which in (0, -1):
            word = ""
            for sign in plain(text):
                if not syllables(sign):
                    break
                word += syllables(sign)[which].lstrip("'")
            found.add(word[:24])
    return found - {""}


class TestOrder:
    """The ranking of all that is found, worked out one by one, is what the arrays give."""

    @pytest.mark.parametrize("near", [None, HERE, (121.35, 31.2)])
    def test_the_first_are_the_first_of_all(self, near: tuple[float, float] | None) -> None:
        for typed in ("路", "国", "东", "中路", "弄", "lu", "d", "国权", "xin"):
            found = names().matching(typed)
            everything = list(self.by_hand(found, near))
            ordered = sorted(everything, key=lambda pair: pair[0])
            for limit in (1, 5, 30):
                offered = names().best(found, where, near=near, limit=limit)
                assert [one.id for one in offered] == [one.id for _, one in ordered][:limit], (typed, near)
                assert offered == best([one for _, one in everything], near, limit)

    def by_hand(
        self, found: Found, near: tuple[float, float] | None
    ) -> Iterable[tuple[tuple[int, float, float, int, str, int], Suggestion]]:
        by_id = {thing.id: thing for thing in things()}
        for at in np.flatnonzero(found.rank < 1_000):
            thing = by_id[int(names().ids[at])]
            fit, sort = divmod(int(found.rank[at]), 3)
            steps = thing.steps + (OTHER_NAME_STEPS if sort == 1 else 0.0)
            metres = 0.0
            if near is not None:
                east = math.radians(thing.lon - near[0]) * math.cos(math.radians((thing.lat + near[1]) / 2))
                metres = 6371008.8 * math.hypot(east, math.radians(thing.lat - near[1]))
            away = round(math.log2(max(metres - thing.uncertainty_m, 250.0) / 250.0), 6) if near is not None else 0.0
            one = Suggestion(
                "road", thing.id, thing.name, f"{thing.region_id}区", thing.lon, thing.lat, thing.uncertainty_m, fit, steps,
                said=names().said.get(int(found.text[at]), ""),
            )  # fmt: skip
            yield (fit, steps + away, metres, len(thing.name), thing.name, thing.id), one

    def test_only_those_of_some_regions(self) -> None:
        found = names().matching("路")
        offered = names().best(found, where, near=HERE, limit=1_000, among=(2,))
        assert {one.where for one in offered} == {"2区"}
        assert len(offered) == sum(1 for thing in things() if thing.region_id == 2 and thing.id in fits(found))

    def test_a_thing_found_by_another_name_says_so(self) -> None:
        thing = next(thing for thing in things() if thing.others)
        offered = names().best(names().matching(plain(thing.others[0][0])), where, near=None, limit=5)
        assert (offered[0].label, offered[0].said) == (thing.name, thing.others[0][1])
        assert names().best(names().matching(plain(thing.name)), where, near=None, limit=5)[0].said == ""

    def test_an_empty_list_finds_nothing(self) -> None:
        empty = list_of("road", [])
        for find in (empty.matching, empty.sounding_like, empty.mistyped, empty.holding_words):
            assert empty.best(find("guoquan"), where, near=HERE, limit=5) == []


def test_a_mistake_in_a_long_name_is_found_wherever_it_is() -> None:
    """The two ways of looking, by patterns and by halves, mend the same mistakes."""
    chance = random.Random(21)
    for _ in range(4_000):
        name = "".join(chance.choices("天地玄黄12", k=chance.randint(2, 9)))
        typed = misspelt(name[: chance.randint(2, 9)], chance, "天地玄黄1")
        size = beginning_but_one(typed, name)
        if size:
            assert not name.startswith(typed)
            assert mended(typed, name[:size]), (typed, name)
        elif typed.isalpha() and name.isalpha() and len(typed) > 2 and not name.startswith(typed):
            assert not one_mistake(typed, name), (typed, name)


def mended(typed: str, meant: str) -> bool:
    """Say whether one edit, none of a digit, makes one text of the other."""
    if re.findall(r"\d+", typed) != re.findall(r"\d+", meant):
        return False
    edits = {typed[:at] + typed[at + 1 :] for at in range(len(typed))}
    edits |= {typed[:at] + meant[at : at + 1] + typed[at + 1 :] for at in range(len(typed))}
    edits |= {typed[:at] + meant[at : at + 1] + typed[at:] for at in range(len(typed) + 1)}
    edits |= {typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] for at in range(len(typed) - 1)}
    return meant in edits
