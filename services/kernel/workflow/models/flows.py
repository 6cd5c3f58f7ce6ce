"""What regions set: flows in versions, matters and their steps, the smart review, pools of handlers."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.kernel.workflow.spec import DISPATCHES, MODES, ROUTES


class VersionState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "使用中"
    RETIRED = "retired", "已停用"


class FlowVersion(models.Model):
    """A flow of a matter in a region, in one version; of those that are published the newest holds for new cases."""

    matter = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    xml = models.TextField()
    note = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "流程版本"
        ordering = ["matter", "region", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["matter", "region", "number"], name="flow_version_once"),
            models.UniqueConstraint(
                fields=["matter", "region"], condition=Q(state="published"), name="one_published_flow"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.matter} 第 {self.number} 版"


class MatterSetting(models.Model):
    """What a region set of a matter: which sources it takes applications from, and how they are handled (办理模式).

    ``promise`` is within how many working days a 承诺件 is done.
    """

    matter = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    route = models.CharField(max_length=10, choices=list(ROUTES.items()))
    category = models.CharField(max_length=40)
    promise = models.PositiveSmallIntegerField(null=True)
    sources = ArrayField(models.CharField(max_length=40), default=list)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "事项设置"
        constraints = [models.UniqueConstraint(fields=["matter", "region"], name="matter_setting_once")]

    def __str__(self) -> str:
        return f"{self.matter} {self.region_id}"


class StepSetting(models.Model):
    """What a region set of one step: its deadline, dispatch, mode, post (a role, '' for any with the duty), notices, screens.

    ``screens``, ``sections`` and ``fills`` are none where the flow's own hold.
    """

    matter = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=60)
    days = models.PositiveSmallIntegerField()
    remind = models.PositiveSmallIntegerField()
    dispatch = models.CharField(max_length=10, choices=list(DISPATCHES.items()))
    mode = models.CharField(max_length=10, choices=list(MODES.items()))
    post = models.CharField(max_length=40, blank=True)
    notices = ArrayField(models.CharField(max_length=20), default=list)
    screens = ArrayField(models.CharField(max_length=20), null=True)
    sections = ArrayField(models.CharField(max_length=40), null=True)
    fills = ArrayField(models.CharField(max_length=40), null=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "环节设置"
        constraints = [models.UniqueConstraint(fields=["matter", "region", "step"], name="step_setting_once")]

    def __str__(self) -> str:
        return f"{self.matter} {self.step} {self.region_id}"


class ReviewSetting(models.Model):
    """What the smart review of a matter looks at in a region (智能审核).

    ``kinds`` are the rule sets asked, ``fields`` the questions, facts and certificates that must be there, ``requires`` matters
    of which the applicant must have an approved case (业务关联), ``excludes`` those of which none may be running (互斥).
    """

    matter = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    kinds = ArrayField(models.CharField(max_length=12), default=list)
    fields = ArrayField(models.CharField(max_length=60), default=list)
    requires = ArrayField(models.CharField(max_length=60), default=list)
    excludes = ArrayField(models.CharField(max_length=60), default=list)
    on_fail = models.CharField(
        max_length=12, choices=[("mark", "标给经办人员"), ("supplement", "直接退回补正")], default="mark"
    )
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "智能审核设置"
        constraints = [models.UniqueConstraint(fields=["matter", "region"], name="review_setting_once")]

    def __str__(self) -> str:
        return f"{self.matter} {self.region_id}"


class PoolMember(models.Model):
    """Somebody in a district's pool of handlers (资源池), with the matters they handle; none for all. Paused ones get no work."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    matters = ArrayField(models.CharField(max_length=60), default=list)
    paused = models.BooleanField(default=False)
    note = models.CharField(max_length=100, blank=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "资源池人员"
        ordering = ["region", "user"]
        constraints = [models.UniqueConstraint(fields=["region", "user"], name="pool_member_once")]

    def __str__(self) -> str:
        return f"{self.region_id} {self.user_id}"
