"""Readings against the dictionary they are made from, sounds that are taken for each other, and letters cut into syllables."""

from __future__ import annotations

import random
from itertools import product

import pytest
from pypinyin import lazy_pinyin

from geo.addresses.suggesting.sounds import READ_IN_TWO_WAYS, alike, sounds, splits

COMMON = [chr(code) for code in range(0x4E00, 0x9FA6)]


def heard(sign: str) -> set[str]:
    return {sounds().syllables[number] for number in sounds().readings(sign)}


def test_every_character_sounds_as_the_dictionary_says() -> None:
    wrong = [sign for sign in COMMON if heard(sign) and lazy_pinyin(sign)[0] not in heard(sign)]
    assert wrong == []
    assert sum(not heard(sign) for sign in COMMON) < 20  # units and other signs nobody reads


@pytest.mark.parametrize("sign", sorted(READ_IN_TWO_WAYS))
def test_some_sound_in_two_ways(sign: str) -> None:
    assert heard(sign) == set(READ_IN_TWO_WAYS[sign])
    assert len(heard(sign)) == 2


def test_letters_sound_like_themselves_and_digits_do_not_sound() -> None:
    assert heard("k") == {"'k"}
    assert heard("8") == heard("，") == heard("𠀀") == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [("zhang", "zang"), ("chi", "ci"), ("shen", "sen"), ("nan", "lan"), ("ming", "min"), ("feng", "fen"), ("huang", "huan"), ("lv", "lu")],
)  # fmt: skip
def test_what_people_take_for_each_other(one: str, other: str) -> None:
    assert alike(one) == alike(other)


def test_other_sounds_are_told_apart() -> None:
    assert len({alike(syllable) for syllable in ("guo", "gou", "quan", "qian", "tong", "dong", "hua", "fa")}) == 8


def every_split(letters: str) -> set[tuple[str, ...]]:
    """Return by brute force every way to cut letters into whole syllables, the last of which may be cut short."""
    known, found = sounds(), set()
    for cuts in product((False, True), repeat=len(letters) - 1):
        pieces, piece = [], letters[0]
        for letter, cut in zip(letters[1:], cuts, strict=True):
            if cut:
                pieces.append(piece)
                piece = ""
            piece += letter
        if all(one in known.spoken for one in pieces) and piece in known.beginnings:
            found.add((*pieces, piece))
    return found


def test_letters_are_cut_in_every_way_that_has_whole_syllables_only() -> None:
    chance = random.Random(5)
    spoken = sorted(sounds().spoken)
    for _ in range(300):
        letters = "".join(chance.choices(spoken, k=chance.randint(1, 3)))[: chance.randint(1, 11)]
        kept = splits(letters)
        whole = {tuple(piece.letters for piece in split.pieces) for split in kept if not split.cut_short}
        every = every_split(letters)
        assert whole <= every
        # At most eight are kept: those with the fewest pieces.
        if len(every) <= 8:
            assert whole == every, letters
        assert [split.cut_short for split in kept] == sorted(split.cut_short for split in kept)


@pytest.mark.parametrize(
    ("letters", "pieces"),
    [
        ("guoq", ("guo", "q")),
        ("gql", ("g", "q", "l")),
        ("wujiaoch", ("wu", "jiao", "ch")),
        ("ahht", ("a", "h", "h", "t")),
    ],
)
def test_half_typed_pinyin_and_initials(letters: str, pieces: tuple[str, ...]) -> None:
    assert pieces in [tuple(piece.letters for piece in split.pieces) for split in splits(letters)]


@pytest.mark.parametrize("letters", ["", "uv", "iii"])
def test_what_is_no_pinyin_is_not_cut(letters: str) -> None:
    assert splits(letters) == ()
