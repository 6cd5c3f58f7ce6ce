"""B8: addresses read and normalised per second on one core, and how right each kind of token is; B9: how true geocoding is.

Truth never comes from the grammar: it is what the generator wrote, what a list states in columns of its own, the plain signs
in the text (5号, 601室), or labels set by hand. ``QUANTU_BENCH_WRONG=20`` shows so many wrong readings of each kind.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import NamedTuple

from fixtures.city import generate
from fixtures.city.misspelling import misspell
from geo.addresses.parsing import NO_NAMES, Gazetteer, Parsed, Parts, Token, normal_form, parse, read, roads_of
from tests.bench._geocoding_bars import geocoding_bars
from tests.bench.report import Bar

RATE_BAR, PRECISION_BAR = 30_000, 99.0
ROUNDS = 7
DATA = Path(os.environ.get("QUANTU_DATA", "../shared/data"))
SHOWN = int(os.environ.get("QUANTU_BENCH_WRONG", "0"))
ASKED = ("road", "lane", "sub_lane", "number", "suffix", "building", "unit", "floor", "room")


class Score:
    """How often a kind of token was ``meant``, was ``said`` by the grammar, and was said rightly (``right``)."""

    def __init__(self, title: str, goal: float | None = None) -> None:
        self.title, self.goal = title, goal
        self.meant: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.wrong: dict[str, list[str]] = {}

    def compare(self, kind: str, said: str, meant: str, text: str) -> None:
        """Count one kind of token of one address; ``""`` stands for none."""
        self.meant[kind] += bool(meant)
        self.said[kind] += bool(said)
        self.right[kind] += bool(said) and said == meant
        if said != meant:
            self.wrong.setdefault(kind, []).append(f"{text}: {said or '–'} for {meant or '–'}")

    def place(self, said: str, meant: str, where: str) -> None:
        """Count one piece of a text: the kind it was said to be and the kind it was meant as, ``""`` for none."""
        self.meant[meant] += 1
        self.said[said] += 1
        self.right[meant] += said == meant
        if said != meant:
            self.wrong.setdefault(meant or said, []).append(f"{where}: {said or '–'} for {meant or '–'}")

    def bars(self) -> list[Bar]:
        """Return a line for each kind, and show what was wrong when asked to."""
        self._show()
        found = []
        for kind in filter(None, self.meant):
            meant = self.meant[kind]
            precision = 100.0 * self.right[kind] / max(self.said[kind], 1)
            recall = 100.0 * self.right[kind] / max(meant, 1)
            ratio = precision / self.goal if self.goal else None
            note = f"{self.title}: {kind}, recall {recall:.2f} %, {meant:,} tokens"
            found.append(Bar("B8", precision, self.goal, ratio, "% precision", note))
        return found

    def _show(self) -> None:
        for kind, lines in self.wrong.items():
            for line in random.Random(1).sample(lines, min(SHOWN, len(lines))):
                sys.stderr.write(f"  {self.title}, {kind}: {line}\n")


def run() -> list[Bar]:
    """Return the rates, precision and recall by list and kind of token, then B9; lists that are not there are left out."""
    bars = _rates()
    lists = (
        _clean_city,
        _misspelt_city,
        _real_roads,
        _map_objects,
        _rentals,
        _activity_rooms,
        _labelled,
        _labelled_here,
    )
    for part in lists:
        try:
            bars += part().bars()
        except FileNotFoundError as missing:
            bars.append(Bar("B8", 0.0, None, None, "rows", f"left out, not there: {Path(str(missing.filename)).name}"))
    return bars + geocoding_bars()


def _rates() -> list[Bar]:
    """Time whole texts of the invented city, clean and misspelt: processor time, the best of a few rounds."""
    table = generate("tiny", 2025).addresses
    known = Gazetteer(roads=roads_of(map(str, table.road)))
    clean = [str(text) for text in table.text]
    dirty = [text for _, text, _ in misspell(table, seed=1, count=len(clean), keeping_meaning=False)]
    timed = (("clean, no names", clean, NO_NAMES), ("clean", clean, known), ("misspelt", dirty, known))
    bars = []
    for title, texts, gazetteer in timed:
        rate = len(texts) / min(_seconds(texts, gazetteer) for _ in range(ROUNDS))
        note = f"parse + normalise, {title}, {len(texts):,} addresses; peer = bar"
        bars.append(Bar("B8", rate, RATE_BAR, rate / RATE_BAR, "addresses/s", note))
    return bars


def _seconds(texts: Sequence[str], gazetteer: Gazetteer) -> float:
    gazetteer = replace(gazetteer)  # each round begins with no road read before
    began = process_time()
    for text in texts:
        normal_form(parse(text, gazetteer))
    return process_time() - began


def _clean_city() -> Score:
    table = generate("tiny", 2025).addresses
    return _city("invented city", [(row, str(text)) for row, text in enumerate(table.text)])


def _misspelt_city() -> Score:
    table = generate("tiny", 2025).addresses
    rows = misspell(table, seed=2, count=len(table))
    return _city("invented city misspelt", [(row, text) for row, text, _ in rows])


def _city(title: str, rows: Sequence[tuple[int, str]]) -> Score:
    """Compare texts (row of the table, text) with what the generator wrote down of them."""
    city = generate("tiny", 2025)
    table = city.addresses
    districts = {region.code: region.name for region in city.regions if region.level == "district"}
    gazetteer = Gazetteer(roads=roads_of(map(str, table.road)))
    score = Score(title, PRECISION_BAR)
    for row, text in rows:
        meant = {kind: str(getattr(table, kind)[row]) for kind in ASKED}
        meant["district"] = districts[str(table.committee_code[row])[:6]]
        _compare(score, parse(text, gazetteer), meant, text)
    return score


def _compare(score: Score, parts: Parts, meant: dict[str, str], text: str) -> None:
    for kind, value in meant.items():
        score.compare(kind, parts.base if kind == "road" else getattr(parts, kind), value, text)


def _real_roads() -> Score:
    """Compose whole addresses of every real road name; the grammar is given no names."""
    chance = random.Random(3)
    score = Score("real road names in whole addresses, no names known", PRECISION_BAR)
    for road in sorted(_road_names()):
        lane, number = str(chance.randint(1, 2999)), str(chance.randint(1, 300))
        room = f"{chance.randint(1, 30)}0{chance.randint(1, 9)}"
        district = chance.choice(("黄浦区", "徐汇区", "静安区", "浦东新区", "宝山区", ""))
        text = f"上海市{district}{road}{lane}弄{number}号{room}室"
        meant = {"district": district, "road": road, "lane": lane, "number": number, "room": room}
        _compare(score, parse(text), meant, text)
    return score


def _road_names() -> set[str]:
    """Return the real names that are roads by their look; the list also holds buildings, bridges and numbered farm tracks."""
    with gzip.open(DATA / "addresses/shanghai_road_names.txt.gz", "rt", encoding="utf-8") as file:
        names = {line.strip() for line in file}
    return {name for name in names if re.fullmatch(r"[\u4e00-\u9fff]{2,8}(?:路|街|大道|公路)", name)}


def _rows(name: str) -> Iterator[dict[str, str]]:
    written = (DATA / name).read_bytes()
    text = (gzip.decompress(written) if name.endswith(".gz") else written).decode("utf-8")
    yield from csv.DictReader(io.StringIO(text, newline=""))


def _map_objects() -> Score:
    """Compare with the street and house number that objects of the map bear in fields of their own."""
    score = Score("street and number of objects of the map, no names known", PRECISION_BAR)
    for row in _rows("addresses/osm_addresses_2026-05.csv"):
        street, number = row["street"], row["housenumber"].removesuffix("号")
        if re.fullmatch(r"[\u4e00-\u9fff]+(?:路|街|道)", street) and number.isdecimal():
            text = f"{row['district_tag']}{street}{number}号"
            _compare(score, parse(text), {"road": street, "number": _plain(number)}, text)
    return score


def _plain(number: str) -> str:
    """Return a number of the lists without the zeros that lead it."""
    return number.lstrip("0").upper() or "0"


def _rentals() -> Score:
    """Truth is what the list states apart from the text, floor and estate, and the room where the text ends with 层 and it."""
    score = Score("rentals, against their own columns")
    rows = list(_rows("addresses/shanghai_rental_addresses_2016.csv"))
    areas = {row["area_tag"][start:] for row in rows for start in (0, 2, 4)}
    for row in rows:
        text = row["address"]
        readings = [reading.parts for reading in read(text).addresses] or [Parts()]
        if "层" in text:
            score.compare("floor", readings[-1].floor, _plain(row["floor"]), text)
        if room := re.search(r"层(\d+[A-Za-z]?)$", text):
            score.compare("room", readings[-1].room, _plain(room[1]), text)
        # A remark in brackets tells two parts of an estate apart; it is no part of the name.
        name = re.sub(r"[（(].*?[)）]", "", row["community"])
        if name in text and not re.search(r"\d", name):
            score.compare("estate", _named(readings, name, areas), name, text)
    return score


def _named(readings: Sequence[Parts], name: str, areas: set[str]) -> str:
    """Return what was read as the estate; an area of the list before the name, as in 长风梅川四街坊, is no mistake."""
    names = [parts.estate or parts.village or parts.place for parts in readings]
    for said in (*names, *(f"{said}{parts.block}" for said, parts in zip(names, readings, strict=True))):
        if said.endswith(name) and said.removesuffix(name) in areas:
            return name
    return names[0]


SIGNED = re.compile(r"(?<![\dA-Za-z\-—―－~～至])(\d+)(支弄|弄|号(?![楼线桥])|室|组|队)")
KIND_OF_SIGN = {"支弄": "sub_lane", "弄": "lane", "号": "number", "室": "room", "组": "group", "队": "group"}


def _activity_rooms() -> Score:
    """Truth is every plain number with a plain sign, and a real road name right before the first number."""
    score = Score("activity rooms, against the signs written")
    roads = _road_names()
    for row in _rows("eldercare/shanghai_elderly_activity_rooms_2016.csv.gz"):
        text = row["address"]
        # What is in brackets may be a remark; blanks keep the places of the rest.
        plain = re.sub(r"[（(].*?[)）]", lambda bracket: " " * len(bracket[0]), text)
        parsed = read(text)
        for signed in SIGNED.finditer(plain):
            said = _kind_at(signed.start(), signed.end(1), parsed)
            if said != "repeated":
                score.place(said, _meant_by(signed), f"{text}, {signed[0]}")
        road = re.match(r"([\u4e00-\u9fff]{2,8}?(?:大道|公路|路|街))\d", plain)
        if road and road[1] in roads:
            score.compare("road", parsed.parts.road, road[1], text)
    return score


def _meant_by(signed: re.Match[str]) -> str:
    before = signed.string[: signed.start()]
    if signed[2] == "号" and re.search(r"[\d一二三四五六七八九十底][楼层]$", before):
        return "room"  # 18楼12号
    if signed[2] == "弄" and re.search(r"\d弄", before):
        return "sub_lane"  # 100弄20弄: a lane within a lane
    return KIND_OF_SIGN[signed[2]]


def _kind_at(start: int, end: int, parsed: Parsed) -> str:
    """Return the kind of the token that holds a stretch of the text, ``repeated`` when it was passed over as said before."""
    for token in _tokens(parsed):
        if token.start <= start and end <= token.end:
            return token.kind
    return next((p.reason for p in parsed.ignored if p.reason == "repeated" and p.start <= start and end <= p.end), "")


def _tokens(parsed: Parsed) -> set[Token]:
    """Return the tokens of all addresses of a field, those that several share once."""
    return {token for reading in parsed.addresses for token in reading.tokens}


KIND_OF_LABEL = {
    "prov": "city", "city": "city", "district": "district", "town": "street", "road": "road", "subroad": "subroad",
    "roadno": "roadno", "subroadno": "houseno", "houseno": "houseno", "cellno": "unit", "floorno": "floor",
    "roomno": "room", "redundant": "redundant",
}  # fmt: skip
OURS = {
    "city": ("city",), "district": ("district", "city"), "street": ("street",), "road": ("road", "along", "crossing"),
    "subroad": ("lane", "sub_lane", "road", "along", "crossing"), "roadno": ("number", "lane"),
    "houseno": ("building", "number", "lane"), "unit": ("unit",), "floor": ("floor",), "room": ("room",),
}  # fmt: skip
"""What the labels' kinds may be in the grammar: a number on the road is a lane's or a house's, one below it a building's."""


class Label(NamedTuple):
    """A piece of a text whose kind was set by hand."""

    kind: str
    start: int
    end: int


def _labelled() -> Score:
    score = Score("whole country, labelled by hand")
    for text, labels in _corpus("dev"):
        _compare_labels(score, text, labels)
    return score


def _labelled_here() -> Score:
    score = Score("Shanghai, labelled by hand")
    for text, labels in (*_corpus("dev"), *_corpus("train")):
        if any("上海" in text[label.start : label.end] for label in labels if label.kind == "city"):
            _compare_labels(score, text, labels)
    return score


def _compare_labels(score: Score, text: str, labels: Sequence[Label]) -> None:
    """Count each label as found or not, then what else was said as said wrongly."""
    parsed = read(text)
    left = _tokens(parsed)
    repeated = [piece for piece in parsed.ignored if piece.reason == "repeated"]
    for label in labels:
        if any(piece.start < label.end and label.start < piece.end for piece in repeated):
            continue
        if label.kind == "redundant":
            # Of 上海上海市 the label passes over the first, we over the second.
            left -= {token for token in left if label.start <= token.start and token.end <= label.end}
            continue
        hits = {token for token in left if token.kind in OURS[label.kind] and _is_same(token, label, text)}
        left -= hits
        score.place(label.kind if hits else "", label.kind, f"{text}, {text[label.start : label.end]}")
    for token in left:
        kind = next((kind for kind, ours in OURS.items() if token.kind in ours), None)
        if kind:
            score.place(kind, "", f"{text}, {token.written}")


def _is_same(token: Token, label: Label, text: str) -> bool:
    """Say whether a token is the labelled piece, signs such as 号 and # left aside."""
    signs = "#-号室楼层幢栋单元座弄门房间"
    return (
        token.written.strip(signs) == text[label.start : label.end].strip(signs)
        and token.start < label.end
        and label.start < token.end
    )


def _corpus(part: str) -> Iterator[tuple[str, list[Label]]]:
    """Yield each text with the labels that have a counterpart; a line is one character, a blank and its label."""
    text, labels = "", list[Label]()
    with gzip.open(DATA / f"addresses/chinese_address_parsing_{part}.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            char, _, tag = line.rstrip("\n").rpartition(" ")
            if tag:
                place, _, name = tag.lower().partition("-")
                if place == "i" and labels:
                    labels[-1] = labels[-1]._replace(end=len(text) + len(char))
                else:
                    labels.append(Label(KIND_OF_LABEL.get(name, ""), len(text), len(text) + len(char)))
                text += char
            elif text:
                yield text, [label for label in labels if label.kind]
                text, labels = "", []
    if text:
        yield text, [label for label in labels if label.kind]
