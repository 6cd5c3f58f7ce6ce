"""Lines of the log centre in their months, marks of how far each source is read, changes noted by triggers, undoing, alerts."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from geo.tracing import current_request
from services.crypto.identifiers import new_id
from services.kernel.logs.spec import CHANNELS, OUTCOMES, RETENTION

KEPT = [(key, kept.name) for key, kept in RETENTION.items()]


class LogLine(models.Model):
    """One act in the one shape. Stands in a partition of its class and month; never changed, and gone only with its month.

    ``source`` and ``source_id`` name the row it was read from. ``actor`` is the account's name, ``account`` its key.
    ``changes`` is ``{column: [before, after]}``. ``pieces`` are the two-character pieces of ``what`` and ``object_name``.
    """

    id = models.BigAutoField(primary_key=True)
    kept = models.CharField(max_length=10, choices=KEPT)
    at = models.DateTimeField()
    source = models.CharField(max_length=60)
    source_id = models.CharField(max_length=80)
    act = models.CharField(max_length=80)
    what = models.CharField(max_length=400)
    actor = models.CharField(max_length=150)
    account = models.BigIntegerField(null=True)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    object_name = models.CharField(max_length=200)
    region_id = models.BigIntegerField(null=True)
    organisation_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10, choices=list(CHANNELS.items()))
    request_id = models.CharField(max_length=32)
    outcome = models.CharField(max_length=10, choices=list(OUTCOMES.items()))
    ms = models.IntegerField(null=True)
    address = models.GenericIPAddressField(null=True)
    changes = models.JSONField(null=True)
    detail = models.JSONField(null=True)
    pieces = ArrayField(models.CharField(max_length=2))

    class Meta:
        verbose_name = "日志"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.act} {self.actor}"


class Mark(models.Model):
    """How far a source is read. ``candidate`` is the highest row seen at ``candidate_at``.

    Rows up to it are read when every transaction of ``waits_for`` has ended; those are noted a moment after the row was seen,
    so that no writer below it is missed. Of a file, ``done`` is the byte and ``inode`` the file.
    """

    key = models.CharField(max_length=300, primary_key=True)
    done = models.BigIntegerField(default=0)
    candidate = models.BigIntegerField(null=True)
    candidate_at = models.DateTimeField(null=True)
    waits_for = ArrayField(models.CharField(max_length=20), null=True)
    inode = models.BigIntegerField(default=0)
    arrived_at = models.DateTimeField(null=True)
    lines = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "收集进度"

    def __str__(self) -> str:
        return f"{self.key} {self.done}"


class NotedChange(models.Model):
    """A row of a declared table as it was and became, in the declared columns; written by triggers in the same transaction."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    op = models.CharField(max_length=6)
    object_id = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor = models.CharField(max_length=150)
    request_id = models.CharField(max_length=32)

    class Meta:
        verbose_name = "业务数据变化"
        indexes = [models.Index(fields=["kind", "object_id", "id"], name="noted_of_object")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.op}"


class UndoState(models.TextChoices):
    WAITING = "waiting", "待他人确认"
    DONE = "done", "已回退"
    REFUSED = "refused", "未同意"


class Undo(models.Model):
    """Somebody wants a change undone: which line, why, what was found to know before, who agreed, and what came of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.BigIntegerField()
    line_at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    object_name = models.CharField(max_length=200)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    changes = models.JSONField()
    found = models.JSONField(default=list)
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=UndoState, default=UndoState.WAITING)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=32, blank=True, default=current_request)

    class Meta:
        verbose_name = "业务回退"
        ordering = ["-asked_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["line"], condition=Q(state="waiting"), name="undo_waits_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.state}"


class AlertKind(models.TextChoices):
    COUNT = "count", "次数过多"
    RATE = "rate", "失败比例过高"
    SILENT = "silent", "长时间没有日志"
    NEW_PLACE = "new_place", "陌生地址登录"


class AlertBy(models.TextChoices):
    ALL = "all", "合计"
    ACTOR = "actor", "每个账号"
    ADDRESS = "address", "每个网络地址"
    OBJECT = "object", "每个对象"


class AlertRule(models.Model):
    """When somebody is to be warned. ``acts``, ``outcome`` and ``source`` say which lines count, empty for all.

    ``threshold`` is more than how many (of ``rate``: percent, of at least ``least`` lines), within ``minutes``.
    """

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=AlertKind)
    acts = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    outcome = models.CharField(max_length=10, blank=True, choices=list(OUTCOMES.items()))
    source = models.CharField(max_length=60, blank=True)
    by = models.CharField(max_length=10, choices=AlertBy, default=AlertBy.ALL)
    threshold = models.PositiveIntegerField(default=0)
    least = models.PositiveIntegerField(default=20)
    minutes = models.PositiveIntegerField()
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150, default="system")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "日志告警规则"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(minutes__gte=1, minutes__lte=43_200), name="alert_minutes")]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A rule that holds for a subject: since when, how often, who has seen to it. Cleared by itself when it no longer holds."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    subject = models.CharField(max_length=200, blank=True)
    what = models.CharField(max_length=300)
    count = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "日志告警"
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject"], condition=Q(cleared_at=None), name="alert_open_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.subject}"
