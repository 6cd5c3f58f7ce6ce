"""Cases with their tasks and their timeline, delegations and watches."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from geo.regions.models import Region
from geo.tracing import current_request
from services.access.models import Organisation
from services.crypto.identifiers import new_id
from services.facilities.models import Facility
from services.kernel.workflow.models.flows import FlowVersion
from services.kernel.workflow.spec import LEVELS, MODES, ROUTES, VERDICTS
from services.kernel.workflow.transitions import ACTS, RUNNING, STATES, State

USER = settings.AUTH_USER_MODEL


class Case(models.Model):
    """One matter being handled. ``passed`` is what people decided, in order; ``begun`` the facts it began with.

    ``version`` counts its acts: who acts names the one they saw. ``lit`` is the worst card of its open tasks. ``needed`` is
    what a case in 补正 waits for. ``stopped_on`` is the day the clock was stopped, ``promised_at`` when a 承诺件 must be done.
    ``source_number`` is its number where it came from. ``review`` is the last verdict of the smart review. ``subject`` is the
    thing of ours that it is about, of matters that are submitted on a page of their own.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    number = models.CharField(max_length=40, unique=True)
    matter = models.CharField(max_length=60)
    duty = models.CharField(max_length=60)
    category = models.CharField(max_length=40)
    route = models.CharField(max_length=10, choices=list(ROUTES.items()), default="flow")
    source = models.CharField(max_length=40)
    source_number = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=120)
    flow = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="cases")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    facility = models.ForeignKey(Facility, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    applicant = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    submission = models.UUIDField(null=True, blank=True)
    subject = models.UUIDField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    begun = models.JSONField(default=dict)
    passed = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=list(STATES.items()), default=State.OPEN)
    step_names = models.CharField(max_length=200, blank=True)
    lit = models.CharField(max_length=6, blank=True, choices=[("yellow", "黄牌"), ("red", "红牌")])
    needed = models.JSONField(default=dict)
    stopped_on = models.DateField(null=True)
    promised_at = models.DateTimeField(null=True)
    review = models.CharField(max_length=6, blank=True, choices=list(VERDICTS.items()))
    opened_by = models.CharField(max_length=150)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "办件"
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="case_newest"),
            models.Index(fields=["region", "-opened_at"], name="case_of_region"),
            models.Index(fields=["applicant", "-opened_at"], name="case_of_applicant"),
            models.Index(fields=["organisation", "-opened_at"], name="case_of_organisation"),
            models.Index(fields=["flow"], condition=Q(closed_at=None), name="case_running"),
            models.Index(fields=["subject", "-opened_at"], condition=Q(subject__isnull=False), name="case_of_subject"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["matter", "subject"],
                condition=Q(state__in=sorted(each.value for each in RUNNING)),
                name="case_of_subject_once",
            )
        ]

    def __str__(self) -> str:
        return self.number


class TaskState(models.TextChoices):
    OPEN = "open", "待办"
    HELD = "held", "暂停"
    DONE = "done", "已办"
    DROPPED = "dropped", "已取消"


class Task(models.Model):
    """One person's piece of a step, or one that waits in a pool for somebody (no ``assignee``).

    ``pass_no`` says for the how manieth time the step is done. Who may do it: an account whose role carries ``duty`` (and is
    ``post``, where one is set) over ``region`` or ``organisation``. ``next_at`` is when the next card is lit, ``seen_at`` when
    somebody first opened it after it came. ``filled`` are the answers that the step's handler gave, with their words.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks")
    matter = models.CharField(max_length=60)
    step = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=12, choices=list(LEVELS.items()))
    mode = models.CharField(max_length=10, choices=list(MODES.items()), default="one")
    pass_no = models.PositiveSmallIntegerField(default=1)
    duty = models.CharField(max_length=60, blank=True)
    post = models.CharField(max_length=40, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    added_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=TaskState, default=TaskState.OPEN)
    opened_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(null=True)
    remind = models.PositiveSmallIntegerField(default=1)
    due_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    lit = models.CharField(max_length=6, blank=True, choices=[("yellow", "黄牌"), ("red", "红牌")])
    urged = models.PositiveSmallIntegerField(default=0)
    notices = ArrayField(models.CharField(max_length=20), default=list)
    outcome = models.CharField(max_length=60, blank=True)
    outcome_name = models.CharField(max_length=20, blank=True)
    opinion = models.TextField(blank=True)
    filled = models.JSONField(default=dict)
    decided_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    behalf_of = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "任务"
        ordering = [F("due_at").asc(nulls_last=True), "id"]
        indexes = [
            models.Index(fields=["assignee", "due_at", "id"], condition=Q(state="open"), name="task_mine"),
            models.Index(
                fields=["region", "duty", "due_at", "id"],
                condition=Q(state="open", assignee=None),
                name="task_pool",
            ),
            # a person with many regions: read in the order of the list until the page is full, never sorted
            models.Index(fields=["due_at", "id"], condition=Q(state="open"), name="task_by_due"),
            models.Index(fields=["next_at"], condition=Q(state="open", next_at__isnull=False), name="task_card_due"),
            models.Index(fields=["decided_by", "-decided_at"], condition=Q(state="done"), name="task_done"),
            models.Index(fields=["case", "state"], name="task_of_case"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "step", "assignee"],
                condition=Q(state__in=["open", "held"]),
                nulls_distinct=False,
                name="task_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.step} {self.state}"


class CaseEvent(models.Model):
    """One line of a case's timeline: who did what when, and what they wrote. Never changed and never taken away.

    ``key`` names the act: the same again finds this line and does nothing. ``open_to_applicant`` lines are shown to them.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(db_default=Now())
    act = models.CharField(max_length=16, choices=list(ACTS.items()))
    actor = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    behalf_of = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    step = models.CharField(max_length=60, blank=True)
    what = models.CharField(max_length=200)
    opinion = models.TextField(blank=True)
    detail = models.JSONField(default=dict)
    open_to_applicant = models.BooleanField(default=False)
    request_id = models.CharField(max_length=32, blank=True, default=current_request)
    key = models.CharField(max_length=80, unique=True, null=True)  # noqa: DJ001 (no key is not an empty key)

    class Meta:
        verbose_name = "办件轨迹"
        ordering = ["id"]
        indexes = [models.Index(fields=["case", "id"], name="event_of_case")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.case_id} {self.act}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise ValueError("a line of the timeline is never changed")
        super().save(*args, **kwargs)


class Delegation(models.Model):
    """From one day to another (both included) somebody may do another's tasks, of one matter or ('') of all."""

    giver = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="delegations")
    taker = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="deputies")
    matter = models.CharField(max_length=60, blank=True)
    from_day = models.DateField()
    to_day = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "委托"
        ordering = ["-from_day", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(to_day__gte=F("from_day")), name="delegation_forwards"),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="delegation_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.giver_id} → {self.taker_id}"


class Watch(models.Model):
    """Somebody follows a case without handling it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watches")
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "关注"
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="watch_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.case_id}"
