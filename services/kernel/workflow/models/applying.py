"""What stands beside a case: the draft it will be opened of, what the smart review found, and what is fed back to its source."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from services.access.models import Organisation
from services.crypto.identifiers import new_id
from services.kernel.workflow.models.cases import Case
from services.kernel.workflow.spec import VERDICTS


class Application(models.Model):
    """For which matter a form is being filled in, and where the application comes from; handed in it becomes a case."""

    submission = models.UUIDField(primary_key=True)
    matter = models.CharField(max_length=60)
    source = models.CharField(max_length=40)
    source_number = models.CharField(max_length=64, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "申请草稿"

    def __str__(self) -> str:
        return f"{self.matter} {self.submission}"


class CaseReview(models.Model):
    """One smart review of a case: its verdict, and each finding with the steps that explain it. Never changed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    number = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=6, choices=list(VERDICTS.items()))
    findings = models.JSONField(default=list)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "智能审核"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="case_review_once")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.number} {self.verdict}"


class FeedbackState(models.TextChoices):
    WAITING = "waiting", "待反馈"
    SENT = "sent", "已反馈"
    GIVEN_UP = "given_up", "已放弃"


class Feedback(models.Model):
    """One piece of progress that the source of a case is told; ``uid`` is the key under which they take it once.

    Of one case they are sent in their order. ``next_at`` is when it is tried (again).
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="feedback")
    channel = models.CharField(max_length=40)
    what = models.JSONField()
    state = models.CharField(max_length=10, choices=FeedbackState, default=FeedbackState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField(db_default=Now())
    next_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "进度反馈"
        ordering = ["id"]
        indexes = [models.Index(fields=["next_at", "id"], condition=Q(state="waiting"), name="feedback_due")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.state}"
