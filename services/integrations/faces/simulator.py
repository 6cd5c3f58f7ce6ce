"""A face service to try against: a real HTTP server that knows some pictures, with moods in which it fails.

It recognises pictures, not people: two are the same face when their coarse brightness is (a difference hash), and alive when the
pictures of one moment are not all the very same. It is for rehearsals only.
"""

from __future__ import annotations

import io
import secrets as chance
import threading
import time
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel

from services.crypto.primitives import Tampered
from services.integrations.faces.schemas import (
    BEGIN_PATH,
    VERIFY_PATH,
    Action,
    Begin,
    Begun,
    Refusal,
    Refused,
    Verdict,
    Verified,
    Verify,
    open_picture,
)
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator

GRID: Final = 16
SAME_FROM: Final = 0.8
FLATTEST: Final = 12
TOKEN_S: Final = 120


class Mood(StrEnum):
    """How the simulator behaves."""

    WELL = "well"
    SILENT = "silent"
    BROKEN = "broken"
    BUSY_ONCE = "busy_once"
    GARBAGE = "garbage"
    STRANGER = "stranger"


class Simulator(SignedSimulator):
    """A running face service. ``known`` are the faces it knows, by subject; ``asked`` counts requests by their id."""

    MOST_BYTES: ClassVar[int] = 2_000_000

    def __init__(
        self,
        *,
        app: str,
        secret: str,
        port: int = 0,
        known: Mapping[str, bytes] | None = None,
        token_s: float = TOKEN_S,
    ) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.known = dict(known or {})
        self.token_s = token_s
        self.mood = Mood.WELL
        self.asked: Counter[str] = Counter()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._answers: dict[str, Verified] = {}
        self._lock = threading.RLock()
        super().__init__(app=app, secret=secret, port=port)

    def unsigned(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(401, Refusal.NOT_SIGNED)

    def misread(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(400, Refusal.BAD_REQUEST)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Do what the path says, as the mood has it."""
        if self.mood is Mood.BUSY_ONCE:
            self.mood = Mood.WELL
            return _refused(503, Refusal.BROKEN)
        if self.mood is Mood.SILENT:
            return None
        if self.mood is Mood.BROKEN:
            return _refused(500, Refusal.BROKEN)
        if self.mood is Mood.GARBAGE:
            return Reply(200, GARBAGE_PAGE)
        if path == BEGIN_PATH:
            return _said(self._begin(Begin.model_validate_json(body)))
        if path != VERIFY_PATH:
            return _refused(404, Refusal.BAD_REQUEST)
        try:
            told = self._verify(Verify.model_validate_json(body))
        except _Spent:
            return _refused(409, Refusal.TOKEN_SPENT)
        except Tampered:
            return _refused(400, Refusal.BAD_REQUEST)
        return _said(told.model_copy(update={"request_id": "another"}) if self.mood is Mood.STRANGER else told)

    def _begin(self, asked: Begin) -> Begun:
        token = chance.token_hex(16)
        with self._lock:
            self._tokens[token] = (asked.subject, time.monotonic() + self.token_s)
        return Begun(token=token, action=Action.NOD, seconds=max(1, round(self.token_s)))

    def _verify(self, asked: Verify) -> Verified:
        pictures = [
            open_picture(self.secret, sealed, request_id=asked.request_id, subject=asked.subject, place=place)
            for place, sealed in enumerate(asked.pictures)
        ]
        with self._lock:
            self.asked[asked.request_id] += 1
            if asked.request_id not in self._answers:
                if asked.token:
                    self._spend(asked)
                self._answers[asked.request_id] = self._judged(asked, pictures)
            return self._answers[asked.request_id]

    def _spend(self, asked: Verify) -> None:
        subject, until = self._tokens.pop(asked.token, ("", 0.0))
        if subject != asked.subject or time.monotonic() > until:
            raise _Spent

    def _judged(self, asked: Verify, pictures: list[bytes]) -> Verified:
        known, score = self.known.get(asked.subject), 0.0
        if known is None:
            verdict = Verdict.NOT_ENROLLED
        else:
            hashes = [_hash(picture) for picture in pictures]
            score = min(_alike(one, _hash(known)) for one in hashes) if all(hashes) else 0.0
            if not all(hashes):
                verdict = Verdict.UNCLEAR
            elif asked.token and len(set(pictures)) < 2:
                verdict = Verdict.NOT_LIVE
            else:
                verdict = Verdict.MATCHED if score >= SAME_FROM else Verdict.DIFFERENT
        number = f"sim-{len(self._answers) + 1:06d}"
        return Verified(
            request_id=asked.request_id, verdict=verdict, score=round(score, 3), number=number, live=bool(asked.token)
        )


class _Spent(Exception):
    """The token was used, is of somebody else, or too old."""


def _hash(picture: bytes) -> tuple[bool, ...]:
    """Return where brightness falls from left to right on a coarse grid; () for a picture that cannot be read or is all alike."""
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
            grey = image.convert("L").resize((GRID + 1, GRID))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return ()
    cells = list(grey.tobytes())
    if max(cells) - min(cells) < FLATTEST:
        return ()
    width = GRID + 1
    return tuple(
        cells[row * width + column] > cells[row * width + column + 1] for row in range(GRID) for column in range(GRID)
    )


def _alike(one: tuple[bool, ...], other: tuple[bool, ...]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one) if one and other else 0.0


def _refused(status: int, code: Refusal) -> Reply:
    return Reply(status, Refused(code=code).model_dump_json().encode())


def _said(answer: BaseModel) -> Reply:
    return Reply(200, answer.model_dump_json().encode())
