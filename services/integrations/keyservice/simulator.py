"""A key and signature service to try against: a real HTTP server over keys of its own, with moods in which it fails."""

from __future__ import annotations

import base64
import json
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from geo.errors import Conflict, NotFound, Unavailable
from services.crypto.house import FileKeys
from services.crypto.port import KeyNote
from services.crypto.primitives import Tampered
from services.integrations.keyservice import schemas as s
from services.integrations.simulating import GARBAGE_PAGE, Reply, SignedSimulator


class Mood(StrEnum):
    """How the simulator behaves."""

    WELL = "well"
    SLOW = "slow"
    SILENT = "silent"
    GARBAGE = "garbage"
    WRONG_SHAPE = "wrong_shape"
    BROKEN = "broken"
    BUSY_ONCE = "busy_once"
    CHANGED = "changed"


class Simulator(SignedSimulator):
    """A running key service that keeps its keys in a folder; use it as a context manager. ``acts`` counts what was asked."""

    def __init__(self, *, app: str, secret: str, folder: Path, port: int = 0, slow_s: float = 5.0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.slow_s = slow_s
        self.keys = FileKeys(folder / "sealing", folder / "signing", sealing_made_here=True, signing_made_here=True)
        self.mood = Mood.WELL
        self.acts: Counter[str] = Counter()
        super().__init__(app=app, secret=secret, port=port)

    def done(self, act: str, body: bytes) -> dict[str, Any]:
        """Do what a path says and return the answer as JSON can hold it."""
        self.acts[act] += 1
        work = getattr(self, f"_{act}", None) if act in _ASKED else None
        if work is None:
            raise NotFound("path_unknown", act)
        told: dict[str, Any] = work(_ASKED[act].model_validate_json(body))
        return told

    def _notes(self, _: Any) -> dict[str, Any]:
        return {"keys": [_told(note) for note in self.keys.notes()]}

    def _seal(self, asked: s.Seal) -> dict[str, Any]:
        key_id, sealed = self.keys.seal(asked.plain, asked.surroundings)
        return {"key_id": key_id, "sealed": _text(sealed)}

    def _open(self, asked: s.Open) -> dict[str, Any]:
        return {"plain": _text(self.keys.open(asked.key_id, asked.sealed, asked.surroundings))}

    def _macs(self, asked: s.Macs) -> dict[str, Any]:
        return {"macs": [{"key_id": key, "mac": _text(mac)} for key, mac in self.keys.macs(asked.label, asked.data)]}

    def _sign(self, asked: s.Sign) -> dict[str, Any]:
        key_id, signature = self.keys.sign(asked.data)
        return {"key_id": key_id, "signature": _text(signature)}

    def _verify(self, asked: s.Verify) -> dict[str, Any]:
        return {"good": self.keys.verify(asked.key_id, asked.data, asked.signature)}

    def _add(self, asked: s.Add) -> dict[str, Any]:
        return _told(self.keys.add_key(asked.purpose))

    def _drop(self, asked: s.Drop) -> dict[str, Any]:
        self.keys.drop_key(asked.key_id)
        return {}

    def unsigned(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(401, s.Refusal.NOT_SIGNED)

    def misread(self) -> Reply:
        """See ``SignedSimulator``."""
        return _refused(400, s.Refusal.BAD_REQUEST)

    def answer(self, path: str, body: bytes) -> Reply | None:
        """Do what the path says, as the mood has it."""
        mood = self.mood
        if mood is Mood.BUSY_ONCE:
            self.mood = Mood.WELL
            return Reply(503, b"busy")
        if mood is Mood.SILENT:
            return None
        if mood is Mood.BROKEN:
            return _refused(500, s.Refusal.BROKEN)
        if mood is Mood.GARBAGE:
            return Reply(200, GARBAGE_PAGE)
        if mood is Mood.WRONG_SHAPE:
            return Reply(200, WRONG_SHAPE)
        try:
            told = self.done(path.removeprefix(f"{s.ROOT}/"), body)
        except tuple(_REFUSALS) as fault:
            return _refused(*next(told for kind, told in _REFUSALS.items() if isinstance(fault, kind)))
        if mood is Mood.SLOW:
            self.wait(self.slow_s)
        if mood is Mood.CHANGED and "sealed" in told:
            told["sealed"] = told["sealed"][:-8]
        return Reply(200, json.dumps(told).encode())


WRONG_SHAPE: Final = b'{"key_id": "0a0b0c0d", "sealed": "AAAA", "plain": "AAAA", "macs": [], "good": "maybe"}'
_REFUSALS: dict[type[Exception], tuple[int, s.Refusal]] = {
    Tampered: (409, s.Refusal.TAMPERED),
    Conflict: (409, s.Refusal.KEY_IN_USE),
    NotFound: (404, s.Refusal.KEY_UNKNOWN),
    Unavailable: (404, s.Refusal.KEY_UNKNOWN),
}
_ASKED: dict[str, type[BaseModel]] = {
    "notes": s.Done,
    "seal": s.Seal,
    "open": s.Open,
    "macs": s.Macs,
    "sign": s.Sign,
    "verify": s.Verify,
    "add": s.Add,
    "drop": s.Drop,
}


def _refused(status: int, code: s.Refusal) -> Reply:
    return Reply(status, s.Refused(code=code).model_dump_json().encode())


def _told(note: KeyNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "purpose": note.purpose.value,
        "made_on": note.made_on.isoformat(),
        "newest": note.newest,
        "public": note.public,
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
