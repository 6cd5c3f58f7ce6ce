"""Editions of catchments by year, district and entry; their rules and areas; who changed what in them."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Q

from geo.fences.drafts import DraftChange, DraftedEdition, DrawnArea
from geo.fences.drafts import EditionState as EditionState
from geo.regions.models import Region
from services.catchments.entries import CHOICES, ENTRIES, MODES
from services.crypto.identifiers import new_id
from services.facilities.models import Facility


class CatchmentEdition(DraftedEdition):
    """How the addresses of a district find their kindergartens in one year, for one entry, in one version.

    A draft changes under ``revision`` and falls back to draft by it; what is published never changes. Of the published
    versions that have begun, the one that began last counts. ``steps`` are the modes in the order they are tried.
    ``office`` is whom parents ask; ``policy`` names the paper it rests on. ``invented`` ones belong to the invented city.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    year = models.PositiveSmallIntegerField()
    district = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    entry = models.CharField(max_length=12, choices=[(entry.key, entry.name) for entry in ENTRIES])
    steps = ArrayField(models.CharField(max_length=10, choices=list(MODES.items())), default=list)
    policy = models.CharField(max_length=200, blank=True)
    policy_url = models.URLField(max_length=300, blank=True)
    office = models.CharField(max_length=80, blank=True)
    office_phone = models.CharField(max_length=40, blank=True)
    begun_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    invented = models.BooleanField(default=False)
    from_day = models.DateField(null=True)

    class Meta:
        verbose_name = "对口版本"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["year", "district", "entry", "number"], name="catchment_edition_once"),
            models.UniqueConstraint(
                fields=["year", "district", "entry"], condition=~Q(state="published"), name="catchment_draft_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(from_day__isnull=False), name="catchment_published_from_a_day"
            ),
        ]
        indexes = [
            models.Index(
                fields=["year", "district", "entry", "-from_day", "-number"],
                condition=Q(state="published"),
                name="catchment_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.district_id} {self.entry} v{self.number}"


class MatchRule(models.Model):
    """One row of a district's table: under ``mode``, who lives where goes to ``target``, or may choose by ``choice``.

    ``written`` is the cell of an address rule or an override, as the district writes it (``writing.read_rule``). ``line`` orders
    the rows. ``same`` follows a rule from edition to edition.
    """

    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="rules")
    same = models.UUIDField(default=new_id, editable=False)
    line = models.PositiveIntegerField()
    mode = models.CharField(max_length=10, choices=list(MODES.items()))
    street = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    committee = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    community = models.CharField(max_length=40, blank=True)
    written = models.TextField(blank=True)
    target = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, related_name="match_rules")
    choice = models.CharField(max_length=8, choices=list(CHOICES.items()), blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "对口规则"
        ordering = ["line", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "same"], name="match_rule_once"),
            models.CheckConstraint(
                condition=Q(target__isnull=False, choice="") | (Q(target__isnull=True) & ~Q(choice="")),
                name="match_rule_leads_somewhere",
            ),
        ]
        indexes = [models.Index(fields=["edition", "mode", "line"], name="match_rule_listed")]

    def __str__(self) -> str:
        return f"{self.mode} {self.line}"


class CatchmentArea(DrawnArea):
    """The area of a kindergarten in an edition, drawn; ``same`` follows it from edition to edition."""

    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="areas")
    same = models.UUIDField(default=new_id, editable=False)
    target = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="catchment_areas")

    class Meta:
        verbose_name = "对口片区"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "same"], name="catchment_area_once"),
            models.UniqueConstraint(fields=["edition", "name"], name="catchment_area_named_once"),
            models.CheckConstraint(condition=Q(geom__isvalid=True), name="catchment_area_valid"),
        ]


class EditionChange(DraftChange):
    """One act on a draft of catchments."""

    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="changes")

    class Meta:
        verbose_name = "对口改动"
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "revision"], name="edition_change_once"),
            models.CheckConstraint(condition=~Q(undoes=F("id")), name="edition_change_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.edition_id} r{self.revision} {self.act}"


class RuleImport(models.Model):
    """A district's workbook on its way into a draft: read, mended row by row, then written in one act.

    ``sheets`` tells of each sheet which columns were recognised and which rows were passed over, with their texts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    sheets = models.JSONField(default=list)
    change = models.ForeignKey(EditionChange, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    written_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "对口规则导入"
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.name


class RuleImportRow(models.Model):
    """One row of a workbook: its cells by field, what is wrong with them by field, and whether somebody leaves it out."""

    taken = models.ForeignKey(RuleImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    sheet = models.CharField(max_length=60)
    row = models.PositiveIntegerField()
    cells = models.JSONField(default=dict)
    faults = models.JSONField(default=dict)
    faulty = models.BooleanField(default=False)
    left_out = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "对口规则导入行"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["taken", "number"], name="rule_import_row_once")]
        indexes = [models.Index(fields=["taken", "number"], condition=Q(faulty=True), name="rule_import_faulty")]

    def __str__(self) -> str:
        return f"{self.sheet} {self.row}"
