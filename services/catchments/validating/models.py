"""Registers of a year's registrations without names or identity numbers, and what editions answered to each of their rows."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from geo.regions.models import Region
from services.catchments.entries import ENTRIES
from services.catchments.models import CatchmentEdition
from services.crypto.identifiers import new_id


class Origin(models.TextChoices):
    FILE = "file", "上传"
    FORMS = "forms", "从登记取"


class Register(models.Model):
    """A district's registrations (名册) of one year and entry. Its rows go with it after half a year.

    Rows come from a file, or from what families handed in ``until`` a moment: the first run takes them. ``columns`` are what
    was taken in, ``dropped`` the heads of columns that were not, for they name a person.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField(unique=True, help_text="of the form it came by: sent twice, it is taken once")
    year = models.PositiveSmallIntegerField()
    district = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    entry = models.CharField(max_length=12, choices=[(entry.key, entry.name) for entry in ENTRIES])
    name = models.CharField(max_length=120)
    columns = ArrayField(models.CharField(max_length=20), default=list)
    dropped = ArrayField(models.CharField(max_length=40), default=list)
    sheets = models.JSONField(
        default=list, help_text="of a file with several: name, rows of the file before it, rows taken"
    )
    row_count = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=5, choices=Origin, default=Origin.FILE)
    until = models.DateTimeField(null=True)
    sealed_key = models.TextField(
        blank=True, help_text="of its addresses; '' where they were kept before they were sealed"
    )
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "登记名册"
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["year", "district", "entry"], name="register_listed")]

    def __str__(self) -> str:
        return self.name

    @property
    def pending(self) -> bool:
        """Say whether its rows are still to be taken from what families handed in."""
        return self.origin == Origin.FORMS and self.until is None

    def place_of(self, number: int) -> tuple[str, int]:
        """Return the sheet and the row in it of a row of the file, '' for the sheet of a file with one."""
        for name, before, _ in reversed(self.sheets):
            if number > before:
                return name, number - before
        return "", number


class RegisterRow(models.Model):
    """One registration: where it says the child lives, under the register's own number."""

    register = models.ForeignKey(Register, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="the row in the file, from 1 and on through its sheets")
    own = models.CharField(max_length=40, blank=True)
    street = models.CharField(max_length=60, blank=True)
    committee = models.CharField(max_length=60, blank=True)
    community = models.CharField(max_length=60, blank=True)
    address = models.TextField(blank=True, help_text="sealed by the key of the register")

    class Meta:
        verbose_name = "登记行"
        constraints = [models.UniqueConstraint(fields=["register", "number"], name="register_row_once")]

    def __str__(self) -> str:
        return f"{self.register_id} {self.number}"


class Validation(models.Model):
    """A register asked of an edition at one revision; ``done_to`` is the last row answered, from where a new job goes on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField(unique=True, help_text="of the form it came by: sent twice, it is run once")
    register = models.ForeignKey(Register, on_delete=models.CASCADE, related_name="validations")
    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="validations")
    revision = models.PositiveIntegerField()
    job = models.UUIDField(null=True)
    done_to = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="rows by outcome and reason, once all are answered")
    seconds = models.FloatField(default=0.0, help_text="of answering")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "验证分析"
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["edition", "-made_at"], name="validation_listed")]

    def __str__(self) -> str:
        return f"{self.register_id} {self.edition_id} r{self.revision}"


class Verdict(models.Model):
    """What an edition answered to one row: outcome and reason, the kindergartens, the street it lies in, and why."""

    validation = models.ForeignKey(Validation, on_delete=models.CASCADE, related_name="verdicts")
    row = models.ForeignKey(RegisterRow, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=20)
    sites = ArrayField(models.BigIntegerField(), default=list)
    possible = ArrayField(models.BigIntegerField(), default=list)
    choices = ArrayField(models.CharField(max_length=8), default=list)
    street = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    said = models.TextField(blank=True, help_text="sealed by the key of the register: it names the address")

    class Meta:
        verbose_name = "验证结果"
        constraints = [models.UniqueConstraint(fields=["validation", "row"], name="verdict_once")]
        indexes = [
            models.Index(fields=["validation", "number"], name="verdict_in_order"),
            models.Index(fields=["validation", "outcome", "reason", "number"], name="verdict_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.validation_id} {self.number} {self.outcome}"
