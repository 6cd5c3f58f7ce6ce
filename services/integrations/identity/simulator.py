"""Ticket providers to try against: a real HTTP server that speaks the three dialects as their documents have them.

Written from the contracts, not from our field maps, so that a wrong map fails here. Its people make it fail in each known way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from services.crypto.primitives import sm3_mac
from services.integrations.simulating import GARBAGE_PAGE, HttpSimulator, Reply


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who has an account there; ``trouble`` is '', slow, silent, garbage, broken, nobody or refused."""

    account: str
    name: str
    identity_number: str = ""
    phone: str = ""
    trouble: str = ""


SOMEBODY: Final = Resident("u-10001", "李晓梅", "310101195003070028", "13800000021")


class Simulator(HttpSimulator):
    """A running provider of all three dialects. ``person`` is whoever signs in next; use it as a context manager."""

    MOST_BYTES = 100_000

    def __init__(self, app: str, secret: str, port: int = 0, person: Resident = SOMEBODY, slow_s: float = 3.0) -> None:
        """Bind the port (0: any free one) without serving yet."""
        self.app, self.secret, self.person, self.slow_s = app, secret, person, slow_s
        self.tickets: dict[str, Resident] = {}
        self.tokens: dict[str, Resident] = {}
        self.asked: list[str] = []
        super().__init__(port=port)

    def let_in(self, path: str, query: str) -> str:
        """Return where a browser that signed in as ``person`` is sent back to, '' for a request that is not understood."""
        asked = dict(parse_qsl(query))
        ticket = secrets.token_urlsafe(18)
        self.tickets[ticket] = self.person
        if path == "/sso/login" and asked.get("servicecode") == self.app:
            back, params = asked.get("goto", ""), {"ticket": ticket}
        elif path in {"/auth/authorize", "/oauth2/auth.htm"} and asked.get("client_id") == self.app:
            back, params = asked.get("redirect_uri", ""), {"code": ticket, "state": asked.get("state", "")}
        else:
            return ""
        return f"{back}{'&' if urlsplit(back).query else '?'}{urlencode(params)}"

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Sign a browser in and send it back, or answer the backend, in the way the person's trouble has it."""
        if method == "GET":
            parts = urlsplit(path)
            back = self.let_in(parts.path, parts.query)
            return Reply(302, headers={"Location": back}) if back else Reply(404)
        said = self.answer(path, headers, body)
        if self.person.trouble == "broken":
            return Reply(500, b"Internal Server Error")
        if self.person.trouble == "garbage":
            return Reply(200, GARBAGE_PAGE)
        return Reply(404 if said is None else 200, json.dumps(said, ensure_ascii=False).encode())

    def answer(self, path: str, headers: Any, body: bytes) -> dict[str, Any] | None:
        """Return what a dialect answers to a request of the backend, ``None`` for an unknown path."""
        self.asked.append(path)
        if path.startswith("/auth/"):
            return self._suishenban(path, headers, body)
        if path.startswith(("/gettoken", "/rpc/")):
            return self._zhezhengding(path, headers, body)
        return self._zhengwuyun(path, body) if path.startswith("/sso/") else None

    def _suishenban(self, path: str, headers: Any, body: bytes) -> dict[str, Any] | None:
        json_asked = headers.get("Content-Type", "").startswith("application/json")
        asked = json.loads(body) if json_asked else dict(parse_qsl(body.decode()))
        given = asked.pop("sign", "")
        text = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
        good = given == sm3_mac(self.secret.encode(), text.encode()).hex() and self._lately(asked.get("timestamp"))
        if not good or asked.get("appId") != self.app:
            return {"code": "40001", "msg": "签名错误"}
        if path == "/auth/token" and not json_asked:
            token = self._token(asked.get("code", ""))
            return {"code": 0, "data": {"accessToken": token}} if token else {"code": 40002, "msg": "授权码无效"}
        if path == "/auth/user" and json_asked:
            who = self.tokens.get(asked.get("accessToken", ""))
            if who is None:
                return {"code": "40003", "msg": "令牌无效"}
            said = {"userId": who.account, "realName": who.name, "idCard": who.identity_number, "mobile": who.phone}
            return {"code": "0", "data": {} if who.trouble == "nobody" else said}
        return None

    def _zhezhengding(self, path: str, headers: Any, body: bytes) -> dict[str, Any] | None:
        asked = dict(parse_qsl(body.decode()))
        sorted_text = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
        text = "\n".join(("POST", headers.get("X-Timestamp", ""), headers.get("X-Nonce", ""), path, sorted_text))
        good = headers.get("X-Signature") == hmac.new(self.secret.encode(), text.encode(), "sha256").hexdigest()
        if not good or headers.get("X-App-Key") != self.app or not self._lately(headers.get("X-Timestamp")):
            return {"success": False, "errorMsg": "invalid signature"}
        if path == "/gettoken.json":
            token = secrets.token_urlsafe(18)
            self.tokens[token] = SOMEBODY  # the token is the application's; the code names the person
            return {"success": True, "content": {"data": {"accessToken": token, "expiresIn": 7200}}}
        if path == "/rpc/oauth2/getuserinfo_bycode.json":
            who = self._take(asked.get("code", ""))
            if who is None or asked.get("access_token") not in self.tokens:
                return {"success": False, "errorMsg": "invalid code"}
            said = {"accountId": who.account, "lastName": who.name}
            return {"success": True, "content": {"data": {} if who.trouble == "nobody" else said}}
        return None

    def _zhengwuyun(self, path: str, body: bytes) -> dict[str, Any] | None:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        text = f"{self.app}{self.secret}{asked.get('time', '')}"
        good = asked.get("sign") == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        if not good or asked.get("servicecode") != self.app or not self._lately(asked.get("time")):
            return {"result": "1", "errmsg": "sign error"}
        if path == "/sso/ticketValidation":
            token = self._token(asked.get("st", ""))
            return {"result": "0", "token": token} if token else {"result": "2", "errmsg": "ticket invalid"}
        if path == "/sso/getUserInfo":
            who = self.tokens.get(asked.get("token", ""))
            if who is None:
                return {"result": "3"}
            said = {"userid": who.account, "username": who.name, "idnum": who.identity_number, "mobile": who.phone}
            return {"result": "0", **({} if who.trouble == "nobody" else said)}
        return None

    def _take(self, ticket: str) -> Resident | None:
        """Return whose ticket it is, once."""
        who = self.tickets.pop(ticket, None)
        if who is not None and who.trouble in {"slow", "silent"}:
            self.wait(self.slow_s if who.trouble == "slow" else 600)
        return None if who is not None and who.trouble == "refused" else who

    def _token(self, ticket: str) -> str:
        who = self._take(ticket)
        if who is None:
            return ""
        token = secrets.token_urlsafe(18)
        self.tokens[token] = who
        return token

    @staticmethod
    def _lately(moment: Any) -> bool:
        return str(moment).isdigit() and abs(time.time() - int(str(moment))) < 300
