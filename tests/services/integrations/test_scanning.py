"""The virus scanner's protocol: our client against the letter of it, our simulator against the letter of it, and all moods."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from services.integrations.scanning import Scanner, ScannerUnavailable, configured_scanner
from services.integrations.scanning.client import CHUNK
from services.integrations.scanning.simulator import EICAR, Mood, Simulator


def one_talk(reply: bytes, address: str | None = None) -> tuple[str, Callable[[], bytes]]:
    """Listen for one connection, answer with these bytes, and return the address and a function that tells what was received."""
    if address is None:
        listener = socket.create_server(("127.0.0.1", 0))
        where = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        where = f"unix://{address}"
    heard: list[bytes] = []

    def talk() -> None:
        line, _ = listener.accept()
        with line, listener:
            line.settimeout(5)
            data = b""
            while not data.endswith(b"\0\0\0\0") and data != b"zPING\0":
                data += line.recv(1 << 16)
            line.sendall(reply)
        heard.append(data)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()

    def received() -> bytes:
        thread.join(5)
        return heard[0]

    return where, received


def test_the_client_sends_what_the_protocol_says() -> None:
    where, received = one_talk(b"stream: OK\0")
    assert Scanner(where, 5).scan(io.BytesIO(b"abc" * 50_000)).clean
    whole = b"abc" * 50_000
    chunks = [whole[at : at + CHUNK] for at in range(0, len(whole), CHUNK)]
    sent = b"".join(struct.pack("!I", len(chunk)) + chunk for chunk in chunks)
    assert received() == b"zINSTREAM\0" + sent + b"\0\0\0\0"


def test_the_client_speaks_over_a_unix_socket(tmp_path: Path) -> None:
    where, received = one_talk(b"PONG\0", str(tmp_path / "s"))
    Scanner(where, 5).ping()
    assert received() == b"zPING\0"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (b"stream: OK\0", ""),
        (b"stream: Eicar-Signature FOUND\0", "Eicar-Signature"),
        (b"stream: Win.Test.EICAR_HDB-1(abc:68) FOUND\0", "Win.Test.EICAR_HDB-1(abc:68)"),
        (b"stream:  FOUND\0", "未能识别"),
    ],
)
def test_verdicts_are_read_by_the_letter(reply: bytes, found: str) -> None:
    where, _ = one_talk(reply)
    assert Scanner(where, 5).scan(io.BytesIO(b"x")).found == found


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"stream: OK",  # no end: more may have been coming
        b"OK\0",
        b"stream: ok\0",
        b"stream: OK \0",
        b"stream: lstat() failed: No such file ERROR\0",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"\xff\xfe\0",
        b"stream: OK\nstream: Eicar FOUND x\0",
    ],
)
def test_anything_else_is_no_verdict(reply: bytes) -> None:
    where, _ = one_talk(reply)
    with pytest.raises(ScannerUnavailable):
        Scanner(where, 5).scan(io.BytesIO(b"x"))


def test_the_simulator_answers_as_the_protocol_says() -> None:
    def say(address: str, data: bytes) -> bytes:
        host, _, port = address.removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(data)
            return line.makefile("rb").read()

    with Simulator(most=100) as simulator:
        assert say(simulator.address, b"zPING\0") == b"PONG\0"
        assert say(simulator.address, b"zINSTREAM\0" + struct.pack("!I", 3) + b"abc" + bytes(4)) == b"stream: OK\0"
        found = say(simulator.address, b"zINSTREAM\0" + struct.pack("!I", 68) + EICAR + bytes(4))
        assert found == b"stream: Eicar-Signature FOUND\0"
        large = say(simulator.address, b"zINSTREAM\0" + struct.pack("!I", 101) + bytes(101) + bytes(4))
        assert large == b"INSTREAM size limit exceeded. ERROR\0"
        assert say(simulator.address, b"zNONSENSE\0") == b"UNKNOWN COMMAND\0"
    assert len(EICAR) == 68


def test_client_and_simulator_understand_each_other() -> None:
    with Simulator() as simulator:
        scanner = Scanner(simulator.address, 5)
        scanner.ping()
        assert scanner.scan(io.BytesIO(b"")).clean
        assert scanner.scan(io.BytesIO(bytes(1_000_000))).clean
        # Across the edge of two chunks.
        assert scanner.scan(io.BytesIO(bytes(CHUNK - 30) + EICAR + bytes(10))).found == "Eicar-Signature"
    assert [len(content) for content in simulator.received] == [0, 1_000_000, CHUNK + 48]


@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.HANGS_UP, Mood.ENDLESS, Mood.BUSY])
def test_a_scanner_in_a_bad_mood_gives_no_verdict(mood: Mood) -> None:
    with Simulator(mood=mood) as simulator, pytest.raises(ScannerUnavailable):
        Scanner(simulator.address, 5).scan(io.BytesIO(b"x" * 300_000))


def test_a_scanner_that_never_answers_is_given_up_in_time() -> None:
    with Simulator(mood=Mood.SILENT) as simulator:
        begun = time.monotonic()
        with pytest.raises(ScannerUnavailable):
            Scanner(simulator.address, 0.3).scan(io.BytesIO(b"x"))
        assert time.monotonic() - begun < 8  # the limit was 0.3; the machine may be busy


def test_a_file_too_large_for_the_scanner_gives_no_verdict() -> None:
    with Simulator(most=1000) as simulator, pytest.raises(ScannerUnavailable):
        Scanner(simulator.address, 5).scan(io.BytesIO(bytes(5_000_000)))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///nowhere/at/all", "http://x", "nonsense"])
def test_nobody_there(address: str) -> None:
    with pytest.raises(ScannerUnavailable):
        Scanner(address, 2).ping()


def test_without_an_address_there_is_no_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SCANNER", "")
    assert configured_scanner() is None
    monkeypatch.setattr(settings, "SCANNER", "tcp://127.0.0.1:3310")
    assert configured_scanner() == Scanner("tcp://127.0.0.1:3310", settings.SCANNER_SECONDS)
