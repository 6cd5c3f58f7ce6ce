"""Comments on places with the institution's answer, flags against them, and suggestions."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.access.models import Organisation
from services.crypto.identifiers import new_id
from services.facilities.models import Facility
from services.modules.opinions.words import ABOUT, FLAG_WHYS, MOST_ANSWER, MOST_WORDS


class CommentState(models.TextChoices):
    NEW = "new", "待审核"
    PUBLISHED = "published", "已公开"
    REFUSED = "refused", "没有通过"
    TAKEN_DOWN = "taken_down", "已撤下"


class ReplyState(models.TextChoices):
    NONE = "", "没有答复"
    NEW = "new", "待审核"
    PUBLISHED = "published", "已公开"
    REFUSED = "refused", "没有通过"


@pghistory.track(
    # What people wrote, and who, goes with the comment: its history tells decisions only.
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["text", "user", "author", "aspects"],
    model_name="CommentEvent",
)
class Comment(models.Model):
    """What an account says of a place: stars overall (1 to 5) and by aspect, and words; public once it was reviewed.

    ``author`` is the name as shown (张**), ``version`` grows with every write. ``reason`` is why it is not public. An institution
    answers once; its ``reply`` is reviewed as well. ``unfit_since`` is the moment it was refused or taken down.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.CharField(max_length=20)
    overall = models.PositiveSmallIntegerField()
    aspects = models.JSONField(default=dict)
    text = models.CharField(max_length=MOST_WORDS, blank=True)
    state = models.CharField(max_length=12, choices=CommentState, default=CommentState.NEW)
    version = models.PositiveIntegerField(default=1)
    flags = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=MOST_ANSWER, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    unfit_since = models.DateTimeField(null=True)
    reply = models.CharField(max_length=MOST_ANSWER, blank=True)
    reply_state = models.CharField(max_length=12, choices=ReplyState, default=ReplyState.NONE, blank=True)
    reply_reason = models.CharField(max_length=MOST_ANSWER, blank=True)
    replied_by = models.CharField(max_length=150, blank=True)
    replied_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        verbose_name = "点评"
        ordering = ["-written_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "facility"], name="comment_once"),
            models.CheckConstraint(condition=Q(overall__gte=1, overall__lte=5), name="comment_stars"),
        ]
        indexes = [models.Index(fields=["facility", "state", "-written_at"], name="comment_place")]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.overall}"


class CommentFlag(models.Model):
    """Somebody who is signed in says that a public comment is not fit to be public; once for each."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="flagged")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=10, choices=FLAG_WHYS)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "点评举报"
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="flag_once")]

    def __str__(self) -> str:
        return f"{self.comment_id} {self.why}"


class SuggestionState(models.TextChoices):
    NEW = "new", "待答复"
    SEEN = "seen", "处理中"
    ADOPTED = "adopted", "已采纳"
    ANSWERED = "answered", "已答复"


@pghistory.track(
    pghistory.UpdateEvent(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["text", "user"],
    model_name="SuggestionEvent",
)
class Suggestion(models.Model):
    """What somebody suggests to the staff of a region, of one place or of the service at large.

    ``mark`` is of the form it came by: sent twice, it is one. ``due_on`` is the last day for an answer.
    """

    mark = models.UUIDField(unique=True, default=new_id)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    facility = models.ForeignKey(Facility, on_delete=models.SET_NULL, null=True, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    about = models.CharField(max_length=10, choices=ABOUT)
    text = models.CharField(max_length=MOST_WORDS)
    state = models.CharField(max_length=12, choices=SuggestionState, default=SuggestionState.NEW)
    due_on = models.DateField()
    answer = models.CharField(max_length=MOST_ANSWER, blank=True)
    handled_by = models.CharField(max_length=150, blank=True)
    handled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "建议"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.region_id} {self.about}"


class ReportState(models.TextChoices):
    WAITING = "waiting", "待发送"
    SENT = "sent", "已发送"
    REPLACED = "replaced", "已有更新的"
    GIVEN_UP = "given_up", "已放弃"


class RatingReport(models.Model):
    """What the platform of supervision is told of an institution's rating; ``uid`` is the key under which they take it once.

    ``what`` holds figures only: how many public comments, and their means. One of an institution waits at most; ``next_at`` is
    when it is tried (again), ``code`` why it did not go through.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    what = models.JSONField()
    state = models.CharField(max_length=10, choices=ReportState, default=ReportState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "评价上报"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["next_at", "id"], condition=Q(state="waiting"), name="rating_due"),
            models.Index(fields=["organisation", "-id"], name="rating_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organisation"], condition=Q(state="waiting"), name="rating_waits_once")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.state}"
