"""Versions of rule sets by region and day, who changed what in them, what they decided, and trials of drafts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from geo.jobs.models import Job
from geo.regions.models import Region
from services.crypto.identifiers import new_id


class RuleState(models.TextChoices):
    DRAFT = "draft", "草稿"
    CHECKED = "checked", "已检查"
    PUBLISHED = "published", "已发布"


class RuleVersion(models.Model):
    """The table of a rule set in a region, in one version. A draft changes under ``revision``; what is published never does.

    Of the published versions that have begun, the one that began last counts. One that is not ``active`` takes the region's own
    rules back: the next region above decides again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule_set = models.CharField(max_length=60)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=RuleState, default=RuleState.DRAFT)
    active = models.BooleanField(default=True)
    sheet = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=300, blank=True)
    from_day = models.DateField(null=True)
    broken_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "规则版本"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule_set", "region", "number"], name="rule_version_once"),
            models.UniqueConstraint(
                fields=["rule_set", "region"], condition=~Q(state="published"), name="rule_draft_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(from_day__isnull=False), name="rule_published_from_a_day"
            ),
        ]
        indexes = [
            models.Index(
                fields=["rule_set", "region", "-from_day", "-number"],
                condition=Q(state="published"),
                name="rule_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule_set} {self.region_id} v{self.number}"


class RuleEdit(models.Model):
    """One saving of a draft: who, when, and which rows and cells changed from what to what."""

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="edits")
    revision = models.PositiveIntegerField()
    changes = models.JSONField(default=list)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "规则改动"
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint(fields=["version", "revision"], name="rule_edit_once")]

    def __str__(self) -> str:
        return f"{self.version_id} r{self.revision}"


class DecisionRecord(models.Model):
    """What a version decided about some facts. ``subject`` says what it was about, as "case:0190…"; it names no person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule_set = models.CharField(max_length=60)
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField()
    results = models.JSONField(default=list)
    rows = ArrayField(models.PositiveIntegerField(), default=list)
    day = models.DateField()
    at = models.DateTimeField(auto_now_add=True)
    subject = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = "规则判断记录"
        ordering = ["-id"]
        indexes = [models.Index(fields=["rule_set", "-id"], name="decision_of_rules")]

    def __str__(self) -> str:
        return f"{self.rule_set} {self.subject}"


class RuleFault(models.Model):
    """A decision that could not be made, because the rules or the facts given to them are at fault."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule_set = models.CharField(max_length=60)
    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, null=True, related_name="faults")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=500)
    subject = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "规则故障"
        ordering = ["-id"]
        indexes = [models.Index(fields=["rule_set", "-id"], name="fault_of_rules")]

    def __str__(self) -> str:
        return f"{self.rule_set} {self.code}"


class TrialSource(models.TextChoices):
    HISTORY = "history", "以往的判断"
    CASES = "cases", "粘贴的情况"


class Trial(models.Model):
    """A draft tried on what was decided before, or on cases somebody pasted, and how often it would decide otherwise."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="trials")
    revision = models.PositiveIntegerField()
    sheet = models.JSONField()
    source = models.CharField(max_length=10, choices=TrialSource)
    from_day = models.DateField(null=True)
    to_day = models.DateField(null=True)
    cases = models.JSONField(default=list)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    tally = models.JSONField(default=dict)
    matrix = models.JSONField(default=dict)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "规则试算"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version_id} {self.source}"


class TrialKind(models.TextChoices):
    CHANGED = "changed", "结果变了"
    UNDECIDED = "undecided", "变为没有结果"
    DECIDED = "decided", "变为有结果"
    FAULT = "fault", "算不出来"


class TrialRow(models.Model):
    """One case that the draft decides otherwise; those decided alike are only counted."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=TrialKind)
    facts = models.JSONField()
    before = models.CharField(max_length=500, blank=True)
    after = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = "试算差异"
        ordering = [F("number").asc()]
        constraints = [models.UniqueConstraint(fields=["trial", "number"], name="trial_row_once")]

    def __str__(self) -> str:
        return f"{self.trial_id} {self.number}"
