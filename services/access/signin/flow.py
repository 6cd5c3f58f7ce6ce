"""From who somebody is to a session: the steps in between, each done before anybody is signed in at all."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import quote

from django.contrib.auth import login
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.signin.actions import open_session
from services.access.signin.models import OpenSession
from services.access.signin.queries import (
    idle_limit,
    needs_certificate,
    needs_second_step,
    second_step_of,
    whole_limit,
)

PENDING: Final = "sign_in_pending"
MARK: Final = "signed_in"
PATIENCE_S: Final = 600
SEEN_EVERY_S: Final = 60
WRONG_CODES: Final = 5
WRONG_CODES_S: Final = 900
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
PASSWORD: Final = "password"
CERTIFICATE: Final = "certificate"
SPARED: Final = "spared"
"""Stands where a fingerprint does for somebody let in without a certificate while the gateway was away."""


def begin(
    request: HttpRequest, user: User, *, target: str, how: str, provider_session: str = "", certificate: str = ""
) -> str:
    """Return where to go next for somebody whose password, provider or certificate (its fingerprint) has said who they are."""
    request.session[PENDING] = {
        "user": user.pk, "how": how, "target": target, "session": provider_session, "at": time.time(), "passed": False,
        "certificate": certificate,
    }  # fmt: skip
    return go_on(request, user)


def pending(request: HttpRequest) -> tuple[User, dict[str, Any]] | None:
    """Return who is on the way in, ``None`` when nobody is, or nobody any more."""
    said = request.session.get(PENDING)
    if not said or time.time() - said["at"] > PATIENCE_S:
        return None
    user = User.objects.filter(pk=said["user"], is_active=True).first()
    return (user, said) if user else None


def pass_second_step(request: HttpRequest) -> None:
    """Note that whoever is on the way in has passed the second step."""
    request.session[PENDING] = {**request.session[PENDING], "passed": True}


def pass_certificate(request: HttpRequest, user: User, *, fingerprint: str) -> str:
    """Note that whoever is on the way in has shown a certificate of their own, and return the page of the next step."""
    request.session[PENDING] = {**request.session[PENDING], "certificate": fingerprint}
    return go_on(request, user)


def go_on(request: HttpRequest, user: User) -> str:
    """Return the page of the next step; after the last one the session is begun."""
    said = request.session[PENDING]
    if second_step_of(user) is not None:
        if not said["passed"]:
            return reverse("sign-in-code")
    elif needs_second_step(user):
        return reverse("sign-in-set-up")
    if needs_certificate(user) and not said["certificate"]:
        return reverse("sign-in-certificate")
    if user.password_given and said["how"] == PASSWORD:
        return reverse("sign-in-new-password")
    request.session.pop(PENDING)
    login(request, user, backend=BACKEND)
    certificate = "" if said["certificate"] == SPARED else said["certificate"]
    row = open_session(
        user=user, request=request, how=said["how"], provider_session=said["session"], certificate=certificate
    )  # fmt: skip
    now = time.time()
    request.session[MARK] = {"uid": str(row.pk), "at": now, "seen": now, "certificate": certificate}
    record_audit(
        act=AuditAct.SIGN_IN,
        actor=user.username,
        request=request,
        detail={"how": said["how"], "certificate": certificate[:16]},
    )
    return str(said["target"])


def ended(request: HttpRequest) -> str:
    """Return why the session of a request is over, ``idle`` or ``long``, '' where it goes on; seeing it keeps it from idling."""
    mark = request.session.get(MARK)
    if not mark:
        return ""
    now = time.time()
    if now - mark["at"] > whole_limit().total_seconds():
        return "long"
    if now - mark["seen"] > idle_limit().total_seconds():
        return "idle"
    if now - mark["seen"] > SEEN_EVERY_S:
        request.session[MARK] = {**mark, "seen": now}
        OpenSession.objects.filter(pk=mark["uid"]).update(seen_at=timezone.now())
    return ""


def certificate_of(request: HttpRequest) -> str:
    """Return the fingerprint of the certificate that the session of a request was begun with, '' for none."""
    return str(request.session.get(MARK, {}).get("certificate", ""))


def absolute(request: HttpRequest, path: str) -> str:
    """Return the whole address of a page of ours, as providers know it."""
    return request.build_absolute_uri(quote(path))
