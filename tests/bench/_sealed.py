"""The part of the ``sealed`` benchmark that runs over the scratch database; run as ``python -m tests.bench._sealed requests``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
SECRET = "bench-secret-bench-secret"
RUNNING = """
import sys
from services.integrations.gateway.authority import Authority
from services.integrations.gateway.simulator import Simulator
with Simulator(app="quantu", secret=sys.argv[1]) as simulator:
    print(simulator.url, flush=True)
    print(simulator.authority.root.der.hex(), flush=True)
    sys.stdin.read()
"""

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402

from services.access.models import User  # noqa: E402
from services.crypto.certificates import read_certificate  # noqa: E402
from services.integrations.gateway.container import Container  # noqa: E402
from tests.services.access.certificates.handset import PASSWORD, Handset  # noqa: E402

ROUNDS = 150
LARGE_ROUNDS = 15
LARGE = 3_000_000


def requests() -> list[dict[str, Any]]:
    """Ask a page and send a large body, plainly and sealed in turn, so that both meet the same machine."""
    with subprocess.Popen(
        [sys.executable, "-c", RUNNING, SECRET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as gateway:
        assert gateway.stdout
        assert gateway.stdin
        settings.GATEWAY_URL, settings.GATEWAY_APP = gateway.stdout.readline().strip(), "quantu"
        settings.GATEWAY_SECRET, settings.INSIDE_HOSTS, settings.SEALED_CHANNELS = SECRET, ["127.0.0.1"], []
        settings.ALLOWED_HOSTS = ["testserver"]
        root = read_certificate(bytes.fromhex(gateway.stdout.readline()))
        try:
            return _measured(_telephone(root))
        finally:
            gateway.stdin.close()


class _Phone(Handset):
    """A handset whose gateway runs elsewhere: only the root is known of it."""

    def __post_init__(self) -> None:
        """Trust the root that stands in for the gateway."""
        self.container = Container([self.gateway], self.host)  # type: ignore[list-item]


def _telephone(root: Any) -> Handset:
    User.objects.create_user("bench", password=PASSWORD)
    phone = _Phone(root)
    phone.enrol("bench")
    assert phone.sign_in().json()["signed_in"]
    assert phone.open_session().status_code == 200
    return phone


def _measured(phone: Handset) -> list[dict[str, Any]]:
    large = os.urandom(LARGE)
    form = "application/octet-stream"

    def page() -> None:
        assert phone.client.get("/account").status_code == 200

    def sealed_page() -> None:
        assert phone.ask("GET", "/account")[0] == 200

    def body() -> None:
        phone.client.post("/sign-out-not", large, content_type=form)

    def sealed_body() -> None:
        phone.ask("POST", "/sign-out-not", large, content_type=form)
        phone.sent.clear()
        phone.received.clear()

    return [
        _line("a page", page, sealed_page, ROUNDS, "/account, both ways through the gateway"),
        _line("a body of 3 MB", body, sealed_body, LARGE_ROUNDS, "the telephone's own sealing in Python included"),
    ]


def _line(asked: str, plain: Callable[[], None], sealed: Callable[[], None], rounds: int, note: str) -> dict[str, Any]:
    for _ in range(3):
        plain()
        sealed()
    pairs = np.array([[_timed(plain), _timed(sealed)] for _ in range(rounds)])
    added = pairs[:, 1] - pairs[:, 0]
    return {
        "asked": asked,
        "plain_ms": round(float(np.median(pairs[:, 0])), 2),
        "sealed_ms": round(float(np.median(pairs[:, 1])), 2),
        "added_ms": round(float(np.median(added)), 2),
        "added_p95_ms": round(float(np.percentile(added, 95)), 2),
        "note": note,
    }


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"requests": requests}[sys.argv[1]]()) + "\n")
