"""The library of fields, dictionaries and certificates; the forms regions composed, in versions; what people filled in."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.crypto.identifiers import new_id
from services.kernel.forms.spec import KIND_NAMES


class Kept(models.Model):
    """What rows of the library share: whether they are in use, where they stand, and who changed them last.

    ``version`` counts changes: who saves names the one they saw.
    """

    active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class FormDictionary(Kept):
    """A closed list of answers (码表); its lines are ``DictionaryTerm``."""

    key = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=60)

    class Meta:
        verbose_name = "码表"
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.title


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="DictionaryTermEvent")
class DictionaryTerm(Kept):
    """One line of a dictionary. A code is never given twice and never deleted: answers point at it."""

    dictionary = models.ForeignKey(FormDictionary, on_delete=models.PROTECT, related_name="terms")
    code = models.CharField(max_length=40)
    label = models.CharField(max_length=80)

    class Meta:
        verbose_name = "码表条目"
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["dictionary", "code"], name="term_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.label}"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="LibraryFieldEvent")
class LibraryField(Kept):
    """A field of the city's library; ``checks`` and ``options`` are parts of ``spec.Field`` as JSON."""

    key = models.CharField(max_length=40, unique=True)
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=[(key, name) for key, name in KIND_NAMES.items()])
    group = models.CharField(max_length=30, blank=True)
    dictionary = models.ForeignKey(FormDictionary, on_delete=models.PROTECT, null=True, related_name="fields")
    help = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=False)
    sensitive = models.BooleanField(default=False)
    checks = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    changes = ArrayField(models.CharField(max_length=10), default=list)

    class Meta:
        verbose_name = "表单字段"
        ordering = ["group", "position", "key"]

    def __str__(self) -> str:
        return self.label


class Medium(models.TextChoices):
    ORIGINAL = "original", "原件"
    COPY = "copy", "复印件或照片"
    ELECTRONIC = "electronic", "电子证照"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), model_name="CertificateEvent")
class Certificate(Kept):
    """A kind of paper people hand in (证照、材料), as it stands now; ``CertificateVersion`` keeps every earlier wording."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    category = models.CharField(max_length=40)
    description = models.CharField(max_length=300, blank=True)
    least = models.PositiveSmallIntegerField(default=0)
    most = models.PositiveSmallIntegerField(default=5)
    types = ArrayField(models.CharField(max_length=8), default=list)
    most_bytes = models.PositiveIntegerField(default=20_000_000)
    valid_months = models.PositiveSmallIntegerField(null=True)
    medium = models.CharField(max_length=10, choices=Medium, default=Medium.COPY)
    issuer = models.CharField(max_length=60, blank=True)
    matters = ArrayField(models.CharField(max_length=40), default=list)
    sensitive = models.BooleanField(default=True)
    changes = ArrayField(models.CharField(max_length=10), default=list)

    class Meta:
        verbose_name = "材料"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CertificateVersion(models.Model):
    """One wording of a certificate, never changed afterwards: what it said, from when, by whom and why."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "材料版本"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["certificate", "number"], name="certificate_version_once")]

    def __str__(self) -> str:
        return f"{self.certificate_id} v{self.number}"


class VersionState(models.TextChoices):
    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "已发布"
    WITHDRAWN = "withdrawn", "已撤回"


class FormVersion(models.Model):
    """A form of a region for an entry, in one version.

    ``composition`` is what staff arranged, ``definition`` the whole form it made on the day it was published: from then on
    neither changes. The version with the latest ``from_day`` that has come counts; the nearest region above that has one decides.
    """

    form = models.SlugField(max_length=40)
    entry = models.SlugField(max_length=40)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    composition = models.JSONField(default=dict)
    definition = models.JSONField(null=True)
    from_day = models.DateField(null=True)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "表单版本"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["form", "entry", "region", "number"], name="form_version_once"),
            models.UniqueConstraint(
                fields=["form", "entry", "region"], condition=Q(state="draft"), name="form_version_one_draft"
            ),
            models.CheckConstraint(
                name="form_version_published_whole",
                condition=Q(state="draft") | Q(definition__isnull=False, from_day__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.entry} {self.region_id} v{self.number}"


class SubmissionState(models.TextChoices):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "已提交"
    SUPPLEMENT = "supplement", "待补正"


class Submission(models.Model):
    """What somebody filled in, bound to the version of the form it was filled in by.

    ``answers`` hold what is not sensitive, sealed answers are ``crypto.Secret`` under this id. ``asked`` names the items
    that may be changed while something is to be supplemented. ``sources`` say where prefilled answers came from, and when.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True, null=True)  # noqa: DJ001 (none until it is handed in)
    form = models.SlugField(max_length=40)
    entry = models.SlugField(max_length=40)
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="submissions")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=SubmissionState, default=SubmissionState.DRAFT)
    answers = models.JSONField(default=dict)
    asked = ArrayField(models.CharField(max_length=60), default=list)
    asked_why = models.CharField(max_length=300, blank=True)
    sources = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True)

    rounds: Any

    class Meta:
        verbose_name = "表单填报"
        ordering = ["-made_at", "-id"]
        indexes = [
            models.Index(fields=["region", "-submitted_at"], name="submission_of_region"),
            models.Index(fields=["account", "-changed_at"], name="submission_of_account"),
        ]
        constraints = [
            models.CheckConstraint(
                name="submission_numbered",
                condition=Q(state="draft") | Q(number__isnull=False, submitted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number or str(self.pk)


class SubmissionRound(models.Model):
    """What a submission said each time it was handed in; ``sealed`` are ciphertexts by field, which open for its id only."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    answers = models.JSONField()
    sealed = models.JSONField(default=dict)
    files = models.JSONField(default=list)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "填报轮次"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["submission", "number"], name="submission_round_once")]

    def __str__(self) -> str:
        return f"{self.submission_id} {self.number}"
