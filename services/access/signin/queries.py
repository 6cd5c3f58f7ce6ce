"""Reads of signing in: what an account still has to do, its sessions and bound identities, who is locked."""

from __future__ import annotations

import datetime as dt
from typing import Final

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from services.access.demo import demo_users
from services.access.models import User
from services.access.queries import grants_today
from services.access.roles import ROLES, roles
from services.access.signin.models import DeviceCertificate, ExternalIdentity, OpenSession, SecondStep

SECOND_STEP_ROLES: Final = frozenset(role.key for role in ROLES if role.second_step)


def second_step_of(user: User) -> SecondStep | None:
    """Return the second step of an account if it was set up to the end."""
    return SecondStep.objects.filter(user=user, confirmed_at__isnull=False).first()


def needs_second_step(user: User) -> bool:
    """Say whether a role the account holds today asks for a second step. Demo accounts, whose password is printed, need none."""
    held = grants_today(user).filter(role__in=SECOND_STEP_ROLES).exists()
    return held and not demo_users().filter(pk=user.pk).exists()


def certificate_roles() -> set[str]:
    """Return the keys of the roles that ask for a certificate."""
    return {role.key for role in roles() if role.certificate} | set(settings.CERTIFICATE_ROLES)


def needs_certificate(user: User) -> bool:
    """Say whether a role the account holds today asks for a certificate: by its declaration, or by the settings of the house."""
    asking = certificate_roles()
    held = bool(asking) and grants_today(user).filter(role__in=asking).exists()
    return held and not demo_users().filter(pk=user.pk).exists()


def certificates_of(user: User) -> QuerySet[DeviceCertificate]:
    """Return the certificates that stand for an account, newest first."""
    return DeviceCertificate.objects.filter(user=user, ended_at=None)


def idle_limit() -> dt.timedelta:
    """Return how long a session may do nothing."""
    return dt.timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def whole_limit() -> dt.timedelta:
    """Return how long a session lasts at most, whatever happens in it."""
    return dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)


def sessions_of(user: User) -> QuerySet[OpenSession]:
    """Return the sessions an account has open, newest first; those past their limits are not among them."""
    now = timezone.now()
    return OpenSession.objects.filter(user=user, began_at__gt=now - whole_limit(), seen_at__gt=now - idle_limit())


def identities_of(user: User) -> QuerySet[ExternalIdentity]:
    """Return the provider accounts bound to an account."""
    return ExternalIdentity.objects.filter(user=user).order_by("provider")


def failures_of(user: User) -> int:
    """Return how many wrong passwords in a row count against an account now, from the address with the most."""
    since = timezone.now() - dt.timedelta(hours=settings.AXES_COOLOFF_TIME)
    rows = AccessAttempt.objects.filter(username=user.username, attempt_time__gte=since)
    return max(rows.values_list("failures_since_start", flat=True), default=0)


def is_locked(user: User) -> bool:
    """Say whether wrong passwords have locked an account, from one address at least."""
    return failures_of(user) >= settings.AXES_FAILURE_LIMIT
