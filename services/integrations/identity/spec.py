"""What identity providers have in common: how one is connected, and whom it says somebody is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from geo.errors import Unauthenticated

Audience = Literal["staff", "resident"]
OIDC: Final = "oidc"


class NotIdentified(Unauthenticated):
    """The provider did not confirm who this is: nobody is signed in."""


def not_identified(code: str = "identity_refused") -> NotIdentified:
    """Return the refusal for whatever a provider said that does not hold; the code is for our log and for programs."""
    return NotIdentified(code, "统一认证没有确认您的身份，请回到登录页重新开始。")


@dataclass(frozen=True, slots=True)
class Provider:
    """One connected provider, asked at ``root``; browsers are sent to ``public``. ``kind`` is ``oidc`` or the key of a map."""

    key: str
    kind: str
    name: str
    audience: Audience
    root: str
    public: str
    app: str
    secret: str
    timeout_s: float = 5.0
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom a provider says somebody is. ``subject`` never changes there; ``session`` names the sign-in at the provider."""

    subject: str
    name: str = ""
    identity_number: str = ""
    phone: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a ticket provider and how its answer is read, as data.

    ``sends`` and ``headers`` are templates over ``app``, ``secret``, ``ticket``, ``token``, ``moment`` (seconds), ``nonce`` and
    ``signature``; the signature is ``digest`` over the template ``signs``. ``accepted`` is a path into the answer and the value
    that stands there when it was granted.
    """

    path: str
    encoding: Literal["form", "json"]
    sends: Mapping[str, str]
    accepted: tuple[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    signs: str = ""
    digest: Literal["", "md5", "hmac-sha256", "hmac-sm3"] = ""


@dataclass(frozen=True, slots=True)
class TicketMap:
    """A ticket provider as data: where browsers go, what comes back, two exchanges, and which field is what.

    ``fields`` are paths into the answer of ``person``: ``subject`` is needed, ``name``, ``identity_number`` and ``phone`` may be.
    """

    key: str
    title: str
    audience: Audience
    enter: str
    enter_params: Mapping[str, str]
    ticket_param: str
    token: Exchange
    token_field: str
    person: Exchange
    fields: Mapping[str, str]
