"""The one HTTP client for systems of others: a fixed upstream, deadlines, size limits, a breaker, and no redirects.

Only addresses that the operator configured are asked. A host is resolved once, its address is checked, and that very address is
connected to. Loopback and private networks are refused unless the operator named the host in ``QUANTU_INSIDE_HOSTS``.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import random
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from services.integrations.breaker import Breaker
from services.integrations.faults import RESTING, AnswerUnclear, NotConnected, NotReached

log = logging.getLogger(__name__)
MOST_BYTES: Final = 1_000_000
CHUNK: Final = 16_384
AGAIN: Final = frozenset({502, 503, 504})
"""Statuses of a system that did not do what was asked; every status from 500 counts against it."""
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that IPv6 gives out for the whole world."""
TRANSLATED: Final = tuple(ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "::ffff:0:0:0/96"))
"""Their last 32 bits are an IPv4 address, to which a gateway translates (RFC 6052, RFC 2765)."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One system of others: its name in Chinese, its root address, how long to wait, and whether it stands inside our network."""

    key: str
    name: str
    root: str
    connect_s: float = 3.0
    total_s: float = 10.0
    inside: bool = False

    def __post_init__(self) -> None:
        """Raise ``NotConnected`` for an address that is not configured, ``ValueError`` for one that is no plain HTTP root."""
        if not self.root:
            raise NotConnected("not_connected", f"{self.name}未接通：还没有配置地址。")
        parts = urlsplit(self.root)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"not the root of an upstream: {parts.scheme}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status and body, whatever they are."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def check_address(address: str, *, inside: bool) -> IPAddress:
    """Return an address that may be connected to. Raises ``NotReached`` for one that no upstream may have.

    Link-local (where clouds keep their secrets), multicast and unspecified addresses never; private and loopback ones only when
    ``inside``.
    """
    found: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    meant = _meant(found)
    never = meant.is_link_local or meant.is_multicast or meant.is_unspecified
    outside = meant.is_global and (meant.version == 4 or meant in UNICAST)
    if never or not (inside or outside):
        raise NotReached("address_refused", "这个系统的地址不允许访问，请系统管理员核对配置。")
    return found


def _meant(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that a gateway reads out of an IPv6 one, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in TRANSLATED):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def ask(
    upstream: Upstream,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    tries: int = 1,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Ask an upstream and return its answer, which may be of any status; each attempt is one line of the log.

    ``tries`` above 1 repeats what did not arrive or answered 502 to 504, with growing pauses; give it only where asking twice
    does no harm. Raises ``NotReached`` or ``AnswerUnclear``; a redirect, or a body above ``most_bytes``, is an unclear answer.
    """
    target = _target(upstream, path)
    breaker = Breaker(upstream.key)
    for attempt in range(1, tries + 1):
        if not breaker.admits():
            raise NotReached(RESTING, f"{upstream.name}连续出错，已暂停访问，稍后自动恢复。")
        begun = time.perf_counter()
        try:
            answer = _once(upstream, method, target, body, {**_names(headers)}, most_bytes)
        except (NotReached, AnswerUnclear) as fault:
            breaker.failed()
            told = {"upstream": upstream.key, "fault": fault.code, "attempt": attempt, "ms": _ms(begun)}
            log.warning("upstream failed", extra=told)
            if attempt == tries:
                raise
        else:
            told = {"upstream": upstream.key, "status": answer.status, "attempt": attempt, "ms": _ms(begun)}
            log.info("upstream answered", extra=told)
            if answer.status < 500:
                breaker.succeeded()
                return answer
            breaker.failed()
            if attempt == tries or answer.status not in AGAIN:
                return answer
        time.sleep(0.2 * 2**attempt * random.uniform(0.5, 1.0))
    raise AssertionError("unreachable")


def _ms(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)


def _target(upstream: Upstream, path: str) -> str:
    target = urlsplit(upstream.root).path.rstrip("/") + path
    if (
        not path.startswith("/")
        or "//" in path
        or ".." in path
        or not target.isascii()
        or any(c <= " " for c in target)
    ):
        raise ValueError("a path of an upstream is absolute, plain and ours")
    return target


def _names(headers: Mapping[str, str] | None) -> dict[str, str]:
    for name, value in (headers or {}).items():
        if any(sign in "\r\n\0" for sign in name + value):
            raise ValueError("a header of one line")
    return dict(headers or {})


def _once(
    upstream: Upstream, method: str, target: str, body: bytes, headers: dict[str, str], most_bytes: int
) -> Answer:
    deadline = time.monotonic() + upstream.total_s
    parts = urlsplit(upstream.root)
    watch = _Watch(deadline)
    pool = _pool(upstream, watch)
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    headers["Host"] = f"{named}:{parts.port}" if parts.port else named
    try:
        response = pool.urlopen(
            method, target, body=body, headers=headers, redirect=False, retries=False, preload_content=False
        )  # fmt: skip
        try:
            return Answer(response.status, _read(response, deadline, most_bytes), _plain(response, upstream))
        finally:
            response.close()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as fault:
        raise NotReached("not_reached", f"连不上{upstream.name}。") from fault
    except urllib3.exceptions.SSLError as fault:
        if time.monotonic() > deadline:  # cut while it dripped
            raise AnswerUnclear("answer_missing", f"{upstream.name}没有按时答复。") from fault
        raise NotReached("certificate_refused", f"{upstream.name}的证书不可信，没有发送。") from fault
    except (urllib3.exceptions.HTTPError, OSError, TimeoutError) as fault:
        raise AnswerUnclear("answer_missing", f"{upstream.name}没有按时答复。") from fault
    finally:
        watch.end()
        pool.close()


class _Watch:
    """Cuts a connection when its time is over: a timeout of sockets begins anew with every byte that drips in."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.timer: threading.Timer | None = None

    def begin(self, held: socket.socket) -> None:
        """Watch a connection from now on."""
        self.timer = threading.Timer(max(0.0, self.deadline - time.monotonic()), _shut, [held])
        self.timer.daemon = True
        self.timer.start()

    def end(self) -> None:
        """Watch no longer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer.args = []


class _Plain(urllib3.connection.HTTPConnection):
    def __init__(self, *given: Any, watch: _Watch, **named: Any) -> None:
        super().__init__(*given, **named)
        self.watch = watch

    def connect(self) -> None:
        super().connect()
        self.watch.begin(self.sock)


class _Secure(_Plain, urllib3.connection.HTTPSConnection):
    """The same over TLS."""


def _shut(held: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it ended by itself
        socket.socket.shutdown(held, socket.SHUT_RDWR)


def _pool(upstream: Upstream, watch: _Watch) -> urllib3.HTTPConnectionPool:
    """Return a connection to the address that was checked, whatever the name resolves to a moment later."""
    parts = urlsplit(upstream.root)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError as fault:
        raise NotReached("name_unknown", f"找不到{upstream.name}的主机。") from fault
    address = str(check_address(str(found), inside=upstream.inside))
    timeout = urllib3.Timeout(connect=upstream.connect_s, read=upstream.total_s)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=timeout,
            maxsize=1,
            cert_reqs="CERT_REQUIRED",
            assert_hostname=host,
            server_hostname=host,
            watch=watch,
        )
        pool.ConnectionCls = _Secure
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, maxsize=1, watch=watch)
        pool.ConnectionCls = _Plain
    return pool


def _plain(response: urllib3.response.BaseHTTPResponse, upstream: Upstream) -> dict[str, str]:
    if 300 <= response.status < 400:
        raise AnswerUnclear("redirected", f"{upstream.name}要求转到别处，已拒绝。")
    return {name.lower(): value for name, value in response.headers.items()}


def _read(response: urllib3.response.BaseHTTPResponse, deadline: float, most_bytes: int) -> bytes:
    """Read a body of limited size before the deadline: a server that drips bytes does not hold a worker."""
    data = bytearray()
    while chunk := response.read1(CHUNK):
        data += chunk
        if len(data) > most_bytes:
            raise AnswerUnclear("answer_too_large", "对方系统的答复过大，已停止读取。")
        if time.monotonic() > deadline:
            break
    if time.monotonic() > deadline:  # what was cut looks like what ended
        raise AnswerUnclear("answer_missing", "对方系统没有按时答完。")
    return bytes(data)
