"""What people did to places, which place was merged into which, and what somebody has begun to write of one."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from services.crypto.identifiers import new_id
from services.facilities.models import Facility


class Act(models.TextChoices):
    ADD = "add", "新增"
    EDIT = "edit", "修改"
    STATUS = "status", "改变状态"
    RETIRE = "retire", "下线"
    RETURN = "return", "重新上线"
    MERGE = "merge", "合并"
    UNDO = "undo", "撤销"


class FacilityChange(models.Model):
    """One act of somebody on places. ``key`` is of the form it came by: sent twice, it is done once.

    ``before`` and ``after`` hold what each place said, by its id (``None``: it was not there); ``corrections`` the rows of
    ``geo.imports`` that later imports replay; ``followed`` what a merge took along, by model and the id it had.
    """

    key = models.UUIDField(unique=True)
    act = models.CharField(max_length=8, choices=Act)
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    facilities = ArrayField(models.BigIntegerField())
    before = models.JSONField()
    after = models.JSONField()
    corrections = ArrayField(models.BigIntegerField(), default=list)
    followed = models.JSONField(default=dict)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "机构改动"
        ordering = ["-id"]
        indexes = [GinIndex(fields=["facilities"], name="facility_change_of")]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.facilities}"


class MergedFacility(models.Model):
    """A place that was merged into another: whoever asks for it is led there."""

    facility = models.OneToOneField(Facility, on_delete=models.CASCADE, primary_key=True, related_name="merged")
    into = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.facility_id} → {self.into_id}"


class FacilityDraft(models.Model):
    """What somebody has typed of a place and not submitted; without ``facility`` it is a new one.

    ``typed`` holds the fields of the form by name, ``base`` what they said when the form was opened at ``version``.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, null=True, related_name="+")
    typed = models.JSONField(default=dict)
    base = models.JSONField(default=dict)
    version = models.CharField(max_length=24, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "机构草稿"
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return str(self.typed.get("name", ""))[:40]
