"""A key and signature service to try against: a real HTTP server over keys of its own, with moods in which it fails."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from geo.errors import Conflict, NotFound, Unauthenticated, Unavailable
from services.crypto.house import FileKeys
from services.crypto.port import KeyNote
from services.crypto.primitives import Tampered
from services.integrations.keyservice import schemas as s
from services.integrations.signing import check_signed


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


class Simulator:
    """A running key service that keeps its keys in a folder; use it as a context manager. ``acts`` counts what was asked."""

    def __init__(self, *, app: str, secret: str, folder: Path, port: int = 0, slow_s: float = 5.0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.app, self.secret, self.slow_s = app, secret, slow_s
        self.keys = FileKeys(folder / "sealing", folder / "signing", sealing_made_here=True, signing_made_here=True)
        self.mood = Mood.WELL
        self.acts: Counter[str] = Counter()
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Simulator:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def answer(self, act: str, body: bytes) -> dict[str, Any]:
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

    def _first_use(self, nonce: str, _seconds: int) -> bool:
        with self._lock:
            new = nonce not in self._nonces
            self._nonces.add(nonce)
            return new

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        simulator = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers one request."""

            def do_POST(self) -> None:
                """Check the signature, then do what the path says, as the mood has it."""
                body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
                try:
                    check_signed(
                        dict(self.headers), app=simulator.app, secret=simulator.secret, method="POST", path=self.path,
                        body=body, first_use=simulator._first_use,
                    )  # fmt: skip
                    simulator._reply(self, self.path.removeprefix(f"{s.ROOT}/"), body)
                except tuple(_REFUSALS) as fault:
                    self.refuse(*next(told for kind, told in _REFUSALS.items() if isinstance(fault, kind)))

            def refuse(self, status: int, code: s.Refusal) -> None:
                """Write a refusal."""
                self.reply(status, s.Refused(code=code).model_dump_json().encode())

            def reply(self, status: int, body: bytes) -> None:
                """Write an answer; a client that has gone away is no fault here."""
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: plain texts must not reach a log."""

        return Handler

    def _reply(self, handler: Any, act: str, body: bytes) -> None:

        mood = self.mood
        if mood is Mood.BUSY_ONCE:
            self.mood = Mood.WELL
            handler.reply(503, b"busy")
        elif mood is Mood.SILENT:
            handler.close_connection = True
        elif mood is Mood.BROKEN:
            handler.refuse(500, s.Refusal.BROKEN)
        elif mood is Mood.GARBAGE:
            handler.reply(200, "<html>系统维护中".encode("gb18030"))
        elif mood is Mood.WRONG_SHAPE:
            handler.reply(
                200, b'{"key_id": "0a0b0c0d", "sealed": "AAAA", "plain": "AAAA", "macs": [], "good": "maybe"}'
            )
        else:
            told = self.answer(act, body)
            if mood is Mood.SLOW:
                time.sleep(self.slow_s)
            if mood is Mood.CHANGED and "sealed" in told:
                told["sealed"] = told["sealed"][:-8]
            handler.reply(200, json.dumps(told).encode())


_REFUSALS: dict[type[Exception], tuple[int, s.Refusal]] = {
    Unauthenticated: (401, s.Refusal.NOT_SIGNED),
    ValidationError: (400, s.Refusal.BAD_REQUEST),
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
