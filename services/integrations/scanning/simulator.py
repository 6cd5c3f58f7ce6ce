"""A virus scanner for tests and rehearsals: clamd's protocol over a real socket, the EICAR test file found, and bad moods."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

EICAR: Final = b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}", b"$EICAR-STANDARD-ANTIVIRUS-", b"TEST-FILE!$H+H*"))
"""The agreed test file, in pieces here so that no scanner takes this source for it."""


class Mood(StrEnum):
    """How the simulator behaves."""

    WELL = "well"
    GARBAGE = "garbage"
    SILENT = "silent"
    HANGS_UP = "hangs_up"
    ENDLESS = "endless"
    BUSY = "busy"


@dataclass
class Simulator:
    """A scanner on a free port of this machine; use it as a context. ``most`` is its longest stream in bytes."""

    mood: Mood = Mood.WELL
    most: int = 26_214_400
    address: str = ""
    received: list[bytes] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Simulator:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _listen(self) -> None:
        talks = []
        while not self._ended.is_set():
            try:
                line, _ = self._listener.accept()
            except TimeoutError:
                continue
            talk = threading.Thread(target=self._talk, args=(line,), daemon=True)
            talk.start()
            talks.append(talk)
        for talk in talks:
            talk.join()

    def _talk(self, line: socket.socket) -> None:
        with line:
            try:
                line.settimeout(10)
                command = _until_zero(line)
                if command == b"zPING":
                    line.sendall(b"PONG\0")
                elif command == b"zINSTREAM":
                    self._answer(line)
                else:
                    line.sendall(b"UNKNOWN COMMAND\0")
            except (OSError, EOFError):
                return  # the other side went away; a scanner does not mind

    def _answer(self, line: socket.socket) -> None:
        if self.mood is Mood.HANGS_UP:
            return
        content = self._stream(line)
        if content is None:
            line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
            _hear_out(line)
            return
        self.received.append(content)
        if self.mood is Mood.SILENT:
            self._ended.wait(10)
        elif self.mood is Mood.ENDLESS:
            line.sendall(b"stream: " + b"O" * 100_000)
        elif self.mood is Mood.GARBAGE:
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n\0")
        elif self.mood is Mood.BUSY:
            line.sendall(b"COMMAND READ TIMED OUT\0")
        else:
            line.sendall(b"stream: Eicar-Signature FOUND\0" if EICAR in content else b"stream: OK\0")

    def _stream(self, line: socket.socket) -> bytes | None:
        content = b""
        while length := struct.unpack("!I", _exactly(line, 4))[0]:
            if len(content) + length > self.most:
                return None
            content += _exactly(line, length)
        return content


def _hear_out(line: socket.socket) -> None:
    """Read what is still on its way: closing over unread bytes would take the reply away from the other side."""
    line.shutdown(socket.SHUT_WR)
    while line.recv(1 << 16):
        pass


def _until_zero(line: socket.socket) -> bytes:
    command = b""
    while len(command) < 64:
        sign = _exactly(line, 1)
        if sign == b"\0":
            return command
        command += sign
    return command


def _exactly(line: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = line.recv(count - len(received))
        if not chunk:
            raise EOFError
        received += chunk
    return received
