"""A telephone as the house meets it: a container with its certificate, and the cookies of its browser."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from services.access.transport.letters import Letter, read_answer
from services.integrations.gateway.container import Container, Shown
from services.integrations.gateway.simulator import Simulator
from services.integrations.gateway.texts import Challenge

PASSWORD = "a-good-long-one"
SEALED = "application/vnd.quantu.sealed"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def raw(said: str) -> bytes:
    return base64.b64decode(said)


@dataclass
class Handset:
    """A telephone. ``sent`` and ``received`` are the bodies that went over the wire in sealed requests."""

    gateway: Simulator
    client: Client = field(default_factory=Client)
    host: str = "testserver"
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.container = Container([self.gateway.authority.root], self.host)

    def by_password(self, name: str) -> Any:
        return self.client.post("/sign-in", {"username": name, "password": PASSWORD})

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json")

    def challenge(self, purpose: str) -> Shown:
        random = self.container.random()
        answer = self.post("certificates/challenge", {"purpose": purpose, "random": text(random)})
        assert answer.status_code == 200, answer.content.decode()
        told = answer.json()
        question = Challenge(told["purpose"], told["host"], raw(told["random"]), raw(told["challenge"]))
        return Shown(question, raw(told["site"]), raw(told["encryption"]), raw(told["signature"]))

    def install(self) -> Any:
        """Have a certificate issued for the container's key, and keep it."""
        answer = self.post("certificates/issue", {"request": text(self.container.request("whoever"))})
        if answer.status_code == 200:
            self.container.install(raw(answer.json()["certificate"]))
        return answer

    def answer(self, shown: Shown, content: bytes = b"") -> dict[str, str]:
        assert self.container.certificate
        return {
            "challenge": text(shown.question.challenge),
            "certificate": text(self.container.certificate.der),
            "signature": text(self.container.sign(shown, content)),
        }

    def bind(self, name: str = "工作手机", code: str = "") -> Any:
        answer = self.answer(self.challenge("bind"))
        return self.post("certificates/bind", {**answer, "name": name, "code": code})

    def sign_in(self) -> Any:
        return self.post("certificates/sign-in", self.answer(self.challenge("sign_in")))

    def enrol(self, name: str) -> Handset:
        """Do everything until the certificate stands for an account, and sign out."""
        self.by_password(name)
        assert self.install().status_code == 200
        assert self.bind().status_code == 200
        self.client.post("/sign-out")
        return self

    def open_session(self) -> Any:
        shown = self.challenge("session")
        secret, sealed = self.container.seal_secret(shown)
        answer = self.post("sealed/sessions", {**self.answer(shown, sealed), "sealed_secret": text(sealed)})
        if answer.status_code == 200:
            told = answer.json()
            self.container.begin(shown, told["session"], secret, sealed, raw(told["signature"]))
        return answer

    def inside(self) -> bool:
        return bool(self.client.get("/account").status_code == 200)

    def seal(self, letter: Letter) -> tuple[dict[str, str], bytes]:
        session, sequence, sealed = self.container.seal(letter.written())
        return {"X-Secure-Session": session, "X-Secure-Sequence": str(sequence)}, sealed

    def wire(self, headers: dict[str, str], sealed: bytes) -> Any:
        """Send a sealed body as it is."""
        self.sent.append(sealed)
        answer = self.client.post("/api/v1/sealed", sealed, content_type=SEALED, headers=headers)
        self.received.append(answer.content)
        return answer

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request sealed and return status, headers and body of its answer."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        said, sealed = self.seal(Letter(method, target, names, body))
        answer = self.wire(said, sealed)
        assert answer.status_code == 200, answer.content.decode()
        assert answer["Content-Type"] == SEALED
        return read_answer(self.container.open(int(answer["X-Secure-Sequence"]), answer.content))
