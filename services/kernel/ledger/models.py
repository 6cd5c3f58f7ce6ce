"""What people keep of a ledger for themselves, their views; and the spreadsheets that they bring into one."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from geo.imports.models import ImportRun
from geo.jobs.models import Job


class SavedView(models.Model):
    """A question to a ledger that somebody keeps under a name; ``query`` is the query string of the list, without the page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ledger = models.SlugField(max_length=40)
    name = models.CharField(max_length=30)
    query = models.CharField(max_length=2_000, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "存的视图"
        ordering = ["ledger", "name"]
        constraints = [models.UniqueConstraint(fields=["user", "ledger", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return f"{self.ledger} {self.name}"


class LedgerImport(models.Model):
    """One spreadsheet on its way into a ledger. Its rows are the drafts and the refusals of ``run``, and those written.

    ``paths`` and ``organisations`` are what the scope of the one who brought it covered: who covers all of that may work on it
    too. ``sheet`` holds the first rows, and which column is which field. ``job`` is the check at first, then the last writing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.OneToOneField(ImportRun, on_delete=models.PROTECT, related_name="+")
    ledger = models.SlugField(max_length=40)
    actor = models.CharField(max_length=150)
    paths = models.JSONField(default=list)
    organisations = models.JSONField(default=list)
    datum = models.CharField(max_length=16, blank=True)
    sheet = models.JSONField(default=dict)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField(null=True)
    written_by = models.CharField(max_length=150, blank=True)
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "台账导入"
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["actor", "-created_at"], name="ledger_import_of")]

    def __str__(self) -> str:
        return f"{self.ledger} {self.run_id}"


class ImportedRow(models.Model):
    """One row of a spreadsheet as it was written: its number there, the ledger's row, and what became of that."""

    pk = models.CompositePrimaryKey("imported_id", "number")
    imported = models.ForeignKey(LedgerImport, on_delete=models.CASCADE, related_name="written", db_index=False)
    number = models.PositiveIntegerField()
    record = models.BigIntegerField(help_text="key of the ledger's row")
    fate = models.CharField(max_length=10)

    class Meta:
        verbose_name = "写入的行"
        indexes = [models.Index(fields=["imported", "fate", "number"], name="imported_row_by_fate")]

    def __str__(self) -> str:
        return f"{self.imported_id} {self.number} {self.fate}"
