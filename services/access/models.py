"""Users, organisations, roles with their duties, dated grants, API keys and the audit log."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from geo.regions.models import Region
from geo.tracing import current_request
from services.access.passwords import unchanging_part
from services.crypto.identifiers import new_id


class UserKind(models.TextChoices):
    STAFF = "staff", "经办用户"
    RESIDENT = "resident", "互联网用户"


class User(AbstractUser):
    """An account. What it may do is said by its grants, never by flags of its own.

    ``uid`` owns its sealed values. ``password_given`` says that somebody else knows the password: it is to be changed first.
    """

    password = models.CharField("密码", max_length=400)
    uid = models.UUIDField(default=new_id, unique=True, editable=False)
    display_name = models.CharField("姓名", max_length=60, blank=True)
    kind = models.CharField("用户类型", max_length=10, choices=UserKind, default=UserKind.STAFF)
    password_given = models.BooleanField(default=False)

    class Meta:
        verbose_name = "账号"

    def __str__(self) -> str:
        return self.display_name or self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what ends the sessions of an account when it changes: with the password, not with the keys it is sealed by."""
        stays = unchanging_part(self.password)
        return salted_hmac("services.access.session", stays, secret=secret, algorithm="sha256").hexdigest()


class Organisation(models.Model):
    """A legal person or institution; grants and facilities point to it."""

    name = models.CharField("名称", max_length=120)
    credit_code = models.CharField("统一社会信用代码", max_length=18, blank=True)
    kind = models.CharField("类型", max_length=40, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "机构"
        constraints = [
            models.UniqueConstraint(fields=["credit_code"], condition=~Q(credit_code=""), name="credit_code_once")
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of duties such as ``facilities.edit``; declared in ``services.access.roles``."""

    key = models.SlugField(max_length=40, primary_key=True)
    name = models.CharField(max_length=40)
    duties = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        verbose_name = "角色"

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A role given to a user over one region, organisation or person, from one day to another (both included).

    ``lent_from`` is the grant of a colleague that this one stands in for; it holds no longer than that one. ``ended_at`` says
    when it was taken back.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="grants"
    )
    person_id = models.PositiveBigIntegerField(null=True, blank=True)
    from_day = models.DateField()
    to_day = models.DateField(null=True, blank=True)
    granted_by = models.CharField(max_length=150)
    granted_at = models.DateTimeField(auto_now_add=True)
    lent_from = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="lent")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "授权"
        constraints = [
            models.CheckConstraint(
                name="grant_over_one_thing",
                condition=(
                    Q(region__isnull=False, organisation__isnull=True, person_id__isnull=True)
                    | Q(region__isnull=True, organisation__isnull=False, person_id__isnull=True)
                    | Q(region__isnull=True, organisation__isnull=True, person_id__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="grant_ends_after_it_begins",
                condition=Q(to_day__isnull=True) | Q(to_day__gte=models.F("from_day")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class ApiKey(models.Model):
    """A key an application signs its requests with. Only a digest is kept; the key itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField("用途", max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "接口密钥"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"


class AuditAct(models.TextChoices):
    SIGN_IN = "sign_in", "登录"
    SIGN_IN_REFUSED = "sign_in_refused", "登录被拒"
    SIGN_OUT = "sign_out", "退出"
    REFUSED = "refused", "无权访问"
    KEY_CREATED = "key_created", "新建密钥"
    KEY_REVOKED = "key_revoked", "停用密钥"
    ACCOUNT_CREATED = "account_created", "建立账号"
    ACCOUNT_ENABLED = "account_enabled", "启用账号"
    ACCOUNT_DISABLED = "account_disabled", "停用账号"
    ROLE_GRANTED = "role_granted", "授权"
    SYSTEM_SCOPE = "system_scope", "系统范围"
    LIST_TAKEN = "list_taken", "取走名单结果"
    FILE_OPENED = "file_opened", "打开敏感文件"
    SHEET_WRITTEN = "sheet_written", "表格写入台账"
    SHEET_DISCARDED = "sheet_discarded", "放弃表格导入"
    LEDGER_EXPORTED = "ledger_exported", "导出台账"
    LAYER_TAKEN = "layer_taken", "取走图层文件"
    PHONE_REVEALED = "phone_revealed", "查看完整号码"
    ANSWER_REVEALED = "answer_revealed", "查看加密答案"
    CASE_DELETED = "case_deleted", "删除办件"
    CASE_RESTORED = "case_restored", "恢复办件"
    CLIENT_SAVED = "client_saved", "维护接入平台"
    CLIENT_KEY_MADE = "client_key_made", "发放平台密钥"
    CLIENT_KEY_STOPPED = "client_key_stopped", "停用平台密钥"
    IDENTITY_BOUND = "identity_bound", "绑定统一认证"
    IDENTITY_UNBOUND = "identity_unbound", "解除统一认证"
    CERTIFICATE_ISSUED = "certificate_issued", "签发证书"
    CERTIFICATE_BOUND = "certificate_bound", "绑定证书"
    CERTIFICATE_ENDED = "certificate_ended", "停用证书"
    CERTIFICATE_SPARED = "certificate_spared", "网关不可用时免证书"
    SECOND_STEP_ON = "second_step_on", "启用两步验证"
    SECOND_STEP_OFF = "second_step_off", "关闭两步验证"
    SECOND_STEP_REFUSED = "second_step_refused", "验证码被拒"
    RECOVERY_USED = "recovery_used", "使用恢复码"
    LOCKED = "locked", "锁定登录"
    UNLOCKED = "unlocked", "解除锁定"
    SESSION_ENDED = "session_ended", "结束会话"
    GRANT_LENT = "grant_lent", "委托授权"
    GRANT_ENDED = "grant_ended", "收回授权"
    ACCOUNT_CHANGED = "account_changed", "修改账号"
    PASSWORD_RESET = "password_reset", "重设密码"
    CONSENT_GIVEN = "consent_given", "同意处理个人信息"
    CONSENT_WITHDRAWN = "consent_withdrawn", "撤回同意"
    DATA_EXPORTED = "data_exported", "导出个人信息"
    ERASURE_ASKED = "erasure_asked", "申请注销"
    ERASURE_CANCELLED = "erasure_cancelled", "取消注销"
    ERASURE_DONE = "erasure_done", "注销并删除"
    TAMPERED = "tampered", "完整性告警"
    INTEGRITY_CHECKED = "integrity_checked", "完整性核查"
    KEYS_ROTATED = "keys_rotated", "轮换密钥"
    KEY_DROPPED = "key_dropped", "删除密钥"
    ROWS_SIGNED = "rows_signed", "重新签名"
    ROLLED_BACK = "rolled_back", "业务回退"
    LOGS_EXPORTED = "logs_exported", "导出日志"
    LOGS_PURGED = "logs_purged", "清理日志"
    LOG_RULE_SAVED = "log_rule_saved", "设置日志告警"
    RULE_CHANGED = "rule_changed", "修改规则草稿"
    RULE_PUBLISHED = "rule_published", "发布规则"
    RULE_ENDED = "rule_ended", "停用规则"
    RULE_DISCARDED = "rule_discarded", "放弃规则草稿"
    RULE_TRIED = "rule_tried", "试算规则"
    CATCHMENT_APPROVED = "catchment_approved", "批准对口版本"
    CATCHMENT_PUBLISHED = "catchment_published", "发布对口版本"
    CATCHMENT_WITHDRAWN = "catchment_withdrawn", "撤回对口版本"
    CATCHMENT_DISCARDED = "catchment_discarded", "放弃对口草稿"
    FENCES_APPROVED = "fences_approved", "批准围栏"
    FENCES_PUBLISHED = "fences_published", "发布围栏"
    FENCES_WITHDRAWN = "fences_withdrawn", "撤回围栏"
    FENCES_DISCARDED = "fences_discarded", "放弃围栏草稿"
    FENCE_RECEIVER_SET = "fence_receiver_set", "设置围栏回调地址"
    FENCE_EVENTS_AGAIN = "fence_events_again", "重发围栏事件"
    RECORDS_PURGED = "records_purged", "清理到期记录"


class AuditEntry(models.Model):
    """One act worth remembering. Holds no search text and no position finer than 0.01 degree."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    act = models.CharField(max_length=20, choices=AuditAct)
    actor = models.CharField(max_length=150, db_index=True)
    address = models.GenericIPAddressField(null=True)
    path = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=32, blank=True, default=current_request)

    class Meta:
        verbose_name = "审计记录"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.actor} {self.act}"
