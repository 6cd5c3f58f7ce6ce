"""What access itself keeps of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils import timezone

from services.access.actions import stop_keys
from services.access.models import AuditEntry, Grant, User
from services.access.personal.models import Consent
from services.access.personal.spec import PersonalPart, Purpose
from services.access.signin.actions import IDENTITY_FIELD, PHONE_FIELD, REAL_NAME
from services.access.signin.models import ExternalIdentity, OpenSession, RecoveryCode, SecondStep
from services.crypto.actions import drop_secrets
from services.crypto.queries import reveal_secrets

SEALED: Final = {IDENTITY_FIELD: "证件号码", PHONE_FIELD: "手机号码"}


def account(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the account itself, with what is sealed of it."""
    plain = reveal_secrets(owner=user.uid, fields=list(SEALED))
    yield {
        "账号名": user.username, "姓名": user.display_name, "类型": user.get_kind_display(), "建立时间": user.date_joined,
        "最近登录": user.last_login, **{label: plain.get(field, "") for field, label in SEALED.items()},
    }  # fmt: skip


def sign_ins(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield bound identities and open sessions."""
    for bound in ExternalIdentity.objects.filter(user=user).iterator():
        yield {"方式": bound.provider, "认证平台的编号": bound.subject, "绑定时间": bound.bound_at}
    for session in OpenSession.objects.filter(user=user).iterator():
        yield {
            "设备": session.agent,
            "地址": session.address or "",
            "登录时间": session.began_at,
            "最近": session.seen_at,
        }


def grants(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the roles an account holds and held."""
    for grant in Grant.objects.filter(user=user).select_related("role").iterator():
        yield {"角色": grant.role.name, "从": grant.from_day, "到": grant.to_day, "收回": grant.ended_at}


def consents(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what was agreed to and taken back."""
    for row in Consent.objects.filter(user=user).iterator():
        yield {"用途": row.purpose, "说明版本": row.version, "同意": row.given_at, "撤回": row.withdrawn_at}


def traces(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what the audit log holds of an account's own acts."""
    for entry in AuditEntry.objects.filter(actor=user.username).order_by("at").iterator():
        yield {"时间": entry.at, "做了什么": entry.get_act_display(), "地址": entry.address or ""}


def forget_sign_ins(user: User) -> int:
    """Forget identities, the second step, sealed numbers and keys."""
    count = int(ExternalIdentity.objects.filter(user=user).delete()[0])
    count += int(SecondStep.objects.filter(user=user).delete()[0]) + int(
        RecoveryCode.objects.filter(user=user).delete()[0]
    )
    return count + stop_keys([user]) + drop_secrets(owner=user.uid)


def end_grants(user: User) -> int:
    """End the roles an account holds, row by row: each is signed anew when it is saved."""
    rows = list(Grant.objects.filter(user=user, ended_at=None))
    for grant in rows:
        grant.ended_at, grant.ended_by = timezone.now(), "system"
        grant.save()
    return len(rows)


def forget_real_name(user: User) -> int:
    """Forget the numbers a provider told."""
    return drop_secrets(owner=user.uid, fields=list(SEALED))


PERSONAL_PARTS = (
    PersonalPart("account", "账号", f"{__name__}:account", f"{__name__}:forget_sign_ins"),
    PersonalPart("sign_ins", "登录方式和设备", f"{__name__}:sign_ins"),
    PersonalPart("grants", "权限", f"{__name__}:grants", f"{__name__}:end_grants"),
    PersonalPart(
        "consents",
        "同意记录",
        f"{__name__}:consents",
        kept="同意和撤回的记录保存三年，用来证明处理合法（个人信息保护法第五十六条）。",
    ),
    PersonalPart(
        "traces",
        "操作记录",
        f"{__name__}:traces",
        kept="登录和操作日志保存不少于六个月（网络安全法第二十一条），不含姓名和证件号码。",
    ),
)
PURPOSES = (
    Purpose(
        REAL_NAME,
        "保存统一认证提供的证件号码和手机号码",
        (
            "您用统一认证登录时，认证平台会告诉我们您的证件号码和手机号码。您同意后，我们加密保存，只在办理您的事项时使用；"
            "不同意不影响使用。撤回后，已保存的立即删除。",
        ),
        f"{__name__}:forget_real_name",
    ),
)
