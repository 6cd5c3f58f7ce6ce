"""The client of a virus scanner that speaks clamd's protocol over TCP or a unix socket.

``QUANTU_SCANNER`` says where it listens, ``tcp://host:3310`` or ``unix:///run/clamav/clamd.ctl``; empty means that there is none.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from django.conf import settings

from geo.errors import Unavailable

CHUNK: Final = 64 * 1024
"""Bytes of a chunk; clamd takes any size up to its StreamMaxLength."""
LONGEST_REPLY: Final = 4096
_FOUND: Final = " FOUND"
_UNKNOWN: Final = "未能识别"


class ScannerUnavailable(Unavailable):
    """The scanner did not answer in time, or answered something else than its protocol allows; nothing is known of the file."""

    def __init__(self, why: str) -> None:
        super().__init__("scanner_unavailable", "查毒服务暂时没有回应，稍后会自动再查。", why=why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scanner says: the name of what it found, '' when the file is clean."""

    found: str

    @property
    def clean(self) -> bool:
        """Say whether nothing was found."""
        return not self.found


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner at an address. ``seconds`` is the most one scan may take, from the first byte sent to the last received."""

    address: str
    seconds: float = 60.0

    def scan(self, content: BinaryIO) -> Verdict:
        """Send a whole file and return the verdict. Raises ``ScannerUnavailable``."""
        return _verdict(self._ask(b"zINSTREAM\0", content))

    def scan_file(self, path: Path) -> Verdict:
        """Send a file of the disk and return the verdict. Raises ``ScannerUnavailable``."""
        with path.open("rb") as content:
            return self.scan(content)

    def ping(self) -> None:
        """Raise ``ScannerUnavailable`` when nobody answers as a scanner does."""
        if (reply := self._ask(b"zPING\0")) != "PONG":
            raise ScannerUnavailable(f"answered {reply[:60]!r} to PING")

    def _ask(self, command: bytes, content: BinaryIO | None = None) -> str:
        deadline = time.monotonic() + self.seconds
        try:
            with _connected(self.address, self.seconds) as line:
                try:
                    _send(line, command, deadline)
                    while content is not None and (chunk := content.read(CHUNK)):
                        _send(line, struct.pack("!I", len(chunk)) + chunk, deadline)
                    if content is not None:
                        _send(line, struct.pack("!I", 0), deadline)
                except (BrokenPipeError, ConnectionResetError):
                    # clamd says that a stream is too long and hangs up while we still send: its reply tells why.
                    pass
                return _reply(line, deadline)
        except (OSError, ValueError) as fault:
            raise ScannerUnavailable(type(fault).__name__) from fault


def configured_scanner() -> Scanner | None:
    """Return the scanner of the settings, or none where none is set."""
    return Scanner(settings.SCANNER, settings.SCANNER_SECONDS) if settings.SCANNER else None


def _connected(address: str, seconds: float) -> socket.socket:
    where = urlsplit(address)
    if where.scheme == "unix":
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(seconds)
        try:
            line.connect(where.path)
        except OSError:
            line.close()
            raise
        return line
    if where.scheme != "tcp" or not where.hostname:
        raise ValueError(f"not an address of a scanner: {address}")
    return socket.create_connection((where.hostname, where.port or 3310), timeout=seconds)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the scan took too long")
    return left


def _send(line: socket.socket, data: bytes, deadline: float) -> None:
    line.settimeout(_left(deadline))
    line.sendall(data)


def _reply(line: socket.socket, deadline: float) -> str:
    received = b""
    while not received.endswith(b"\0"):
        line.settimeout(_left(deadline))
        chunk = line.recv(LONGEST_REPLY)
        if not chunk:
            raise ScannerUnavailable("hung up without an answer")
        received += chunk
        if len(received) > LONGEST_REPLY:
            raise ScannerUnavailable("answered without an end")
    return received[:-1].decode("utf-8", "replace")


def _verdict(reply: str) -> Verdict:
    """Read a reply by the letter: only ``stream: OK`` is clean, anything unknown is no verdict at all."""
    if reply == "stream: OK":
        return Verdict("")
    if reply.startswith("stream: ") and reply.endswith(_FOUND):
        return Verdict(reply[len("stream: ") : -len(_FOUND)].strip()[:120] or _UNKNOWN)
    raise ScannerUnavailable(f"answered {reply[:60]!r}")
