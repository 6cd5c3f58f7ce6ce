"""Files of fences on their way into a draft: read, mended row by row, then written in one act. The file itself is kept."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.fences.models import FenceChange, FenceEdition
from geo.fences.purposes import ShapeKind
from services.crypto.identifiers import new_id


class FenceImport(models.Model):
    """A file for a draft, and the system it was read in.

    ``guessed`` is the system the file seems to be in ('' for none), by ``guessed_by``. ``doubt`` says that the fences lie off as
    a whole, ``likely`` in which system they would not; ``sure`` that somebody stands by the system all the same.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    edition = models.ForeignKey(FenceEdition, on_delete=models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    system = models.CharField(max_length=12)
    guessed = models.CharField(max_length=12, blank=True)
    guessed_by = models.CharField(max_length=100, blank=True)
    doubt = models.CharField(max_length=200, blank=True)
    likely = models.CharField(max_length=12, blank=True)
    sure = models.BooleanField(default=False)
    change = models.ForeignKey(FenceChange, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    written_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "围栏导入"
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.name


class FenceImportRow(models.Model):
    """One fence of a file: its cells by field, what is wrong with them by field, its shape, and whether it is left out.

    ``geom`` is what would be kept, ``before`` the shape as it was drawn where that had to be mended; ``shape_fault`` says why,
    and ``mended`` that somebody takes it so. A field that the file has no column for is not among the cells.
    """

    taken = models.ForeignKey(FenceImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=dict)
    faults = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.label) for kind in ShapeKind])
    definition = models.JSONField(default=dict)
    geom = models.MultiPolygonField(srid=CGCS2000, null=True)
    before = models.GeometryField(srid=CGCS2000, null=True)
    shape_fault = models.CharField(max_length=200, blank=True)
    mended = models.BooleanField(default=False)
    faulty = models.BooleanField(default=False)
    left_out = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "围栏导入行"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["taken", "number"], name="fence_import_row_once")]
        indexes = [models.Index(fields=["taken", "number"], condition=Q(faulty=True), name="fence_import_faulty")]

    def __str__(self) -> str:
        return str(self.number)
