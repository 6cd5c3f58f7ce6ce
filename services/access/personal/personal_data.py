"""What access itself keeps of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils import timezone

from geo.addresses.standardising.actions import delete_batch
from geo.addresses.standardising.models import Batch
from geo.scope import Scope
from layers.processes.actions import delete_run
from layers.processes.models import ProcessRun
from services.access.actions import stop_keys
from services.access.models import ApiKey, AuditEntry, Grant, User
from services.access.personal.models import Consent
from services.access.personal.spec import PersonalPart, Purpose
from services.access.signin.actions import IDENTITY_FIELD, PHONE_FIELD, REAL_NAME
from services.access.signin.models import DeviceCertificate, ExternalIdentity, OpenSession, RecoveryCode, SecondStep
from services.crypto.actions import drop_secrets
from services.crypto.queries import reveal_secrets

NAMED: Final = "services.access.personal.naming"
NAMES_KEPT: Final = "记录本身属于业务档案，按档案法规定的期限保存；其中的账号名在注销时抹去，防篡改日志里的到期才能删。"
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


def certificates(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the certificates of devices that stand, or stood, for an account."""
    for row in DeviceCertificate.objects.filter(user=user).iterator():
        yield {
            "设备": row.name, "证书编号": row.serial, "主体": row.subject, "绑定": row.bound_at, "有效期到": row.not_after,
            "停用": row.ended_at,
        }  # fmt: skip


def end_certificates(user: User) -> int:
    """End the certificates of an account, row by row: each is signed anew when it is saved."""
    rows = list(DeviceCertificate.objects.filter(user=user, ended_at=None))
    for row in rows:
        row.ended_at, row.ended_by = timezone.now(), "system"
        row.save()
    return len(rows)


def keys(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the keys an account's applications sign with; only their beginning is known here."""
    for row in ApiKey.objects.filter(user=user).iterator():
        yield {
            "用途": row.name,
            "开头": row.prefix,
            "建立": row.created_at,
            "最近使用": row.last_used_on,
            "停用": row.revoked_at,
        }


def lists(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the lists of addresses an account brought to be standardised; their rows are taken away on their own page."""
    for row in Batch.objects.filter(actor=user.username).iterator():
        yield {"名单": row.name, "行数": row.rows, "上传": row.created_at, "到期删除": row.expires_at}


def forget_lists(user: User) -> int:
    """Delete the lists of an account with their files and rows."""
    pks = list(Batch.objects.filter(actor=user.username).values_list("pk", flat=True))
    for pk in pks:
        delete_batch(batch_id=pk, scope=Scope(actor=user.username))
    return len(pks)


def exports(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account let be made of layers; the files are taken away on their own page."""
    for row in ProcessRun.objects.filter(actor=user.username).iterator():
        yield {"任务": row.title, "提交": row.made_at, "条数": row.rows, "到期删除": row.expires_at}


def forget_exports(user: User) -> int:
    """Delete what was made, with its files."""
    pks = list(ProcessRun.objects.filter(actor=user.username).values_list("pk", flat=True))
    for pk in pks:
        delete_run(run_id=pk, scope=Scope(actor=user.username))
    return len(pks)


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
    PersonalPart(
        "account",
        "账号",
        f"{__name__}:account",
        f"{__name__}:forget_sign_ins",
        models=("access_signin.SecondStep", "access_signin.RecoveryCode"),
    ),
    PersonalPart(
        "sign_ins",
        "登录方式和设备",
        f"{__name__}:sign_ins",
        models=("access_signin.ExternalIdentity", "access_signin.OpenSession"),
    ),
    PersonalPart(
        "certificates",
        "设备证书",
        f"{__name__}:certificates",
        f"{__name__}:end_certificates",
        kept="停用的证书编号保存不少于六个月（网络安全法第二十一条），不再能登录。",
        models=("access_signin.DeviceCertificate",),
    ),
    PersonalPart("keys", "接口密钥", f"{__name__}:keys", models=("access.ApiKey",)),
    PersonalPart("grants", "权限", f"{__name__}:grants", f"{__name__}:end_grants", models=("access.Grant",)),
    PersonalPart(
        "lists", "批量规范的名单", f"{__name__}:lists", f"{__name__}:forget_lists", models=("standardising.Batch",)
    ),
    PersonalPart(
        "exports",
        "导出和处理的图层",
        f"{__name__}:exports",
        f"{__name__}:forget_exports",
        models=("processes.ProcessRun",),
    ),
    PersonalPart(
        "consents",
        "同意记录",
        f"{__name__}:consents",
        kept="同意和撤回的记录保存三年，用来证明处理合法（个人信息保护法第五十六条）。",
        models=("access_personal.Consent", "access_personal.Erasure"),
    ),
    PersonalPart(
        "traces",
        "操作记录",
        f"{__name__}:traces",
        kept="登录和操作日志保存不少于六个月（网络安全法第二十一条），不含姓名和证件号码。",
        models=("access.AuditEntry",),
    ),
    PersonalPart("names", "留有账号名的其他记录", f"{NAMED}:named_rows", kept=NAMES_KEPT),
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
