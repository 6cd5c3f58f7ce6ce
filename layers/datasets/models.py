"""What is kept of datasets.

Every act is a revision. A row of features is never changed: an act ends rows with its revision and adds others that begin with
it. What a dataset held at a revision are the rows that had begun and not ended by then; a published version names a revision.
"""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.regions.models import Region
from layers.spec import CATEGORIES


class GeometryKind(models.TextChoices):
    POINT = "point", "点"
    LINE = "line", "线"
    POLYGON = "polygon", "面"


class Audience(models.TextChoices):
    """Who sees what is published."""

    EVERYONE = "everyone", "所有人"
    STAFF = "staff", "所属区域和上级的工作人员"


class Dataset(models.Model):
    """A layer that staff make. ``attributes`` are those of the draft; ``names`` are all that were ever given, none given twice.

    ``recipe`` says out of which layer it is made, by what conditions, and whether it is refreshed from there; of a result of an
    analysis, how that was made.
    """

    key = models.SlugField(max_length=20, unique=True)
    title = models.CharField(max_length=60)
    summary = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=12, choices=list(CATEGORIES.items()), default="own")
    geometry = models.CharField(max_length=8, choices=GeometryKind)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=80)
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.EVERYONE)
    attributes = models.JSONField(default=list)
    names = models.JSONField(default=list)
    recipe = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    next_feature = models.PositiveIntegerField(default=1)
    retired_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "自建图层"
        ordering = ["-changed_at"]
        indexes = [models.Index(fields=["path"], opclasses=["text_pattern_ops"], name="dataset_path")]

    def __str__(self) -> str:
        return self.title


class Feature(models.Model):
    """A feature as it was from one revision until another; ``number`` stays the same as long as the feature lives.

    ``origin`` names the row of another layer that it was copied from.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="features")
    number = models.PositiveIntegerField()
    from_revision = models.PositiveIntegerField()
    to_revision = models.PositiveIntegerField(null=True)
    geom = models.GeometryField(srid=CGCS2000)
    properties = models.JSONField(default=dict)
    origin = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = "要素"
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], condition=Q(to_revision__isnull=True), name="feature_once_now"
            ),
            models.UniqueConstraint(fields=["dataset", "number", "from_revision"], name="feature_once_a_revision"),
        ]
        indexes = [
            models.Index(fields=["dataset", "from_revision"], name="feature_from"),
            models.Index(fields=["dataset", "to_revision"], name="feature_to"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id}/{self.number}"


class DatasetAct(models.Model):
    """One act on a dataset, by its revision. ``key`` is of the form it came by: sent twice, it is done once."""

    key = models.UUIDField(unique=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="acts")
    revision = models.PositiveIntegerField()
    act = models.CharField(max_length=12)
    said = models.CharField(max_length=200)
    attributes = models.JSONField(default=list)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "图层改动"
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint(fields=["dataset", "revision"], name="dataset_act_once")]

    def __str__(self) -> str:
        return self.said


class DatasetVersion(models.Model):
    """A revision that was published from a moment on. Of those that have begun, the one that began last counts."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    key = models.UUIDField(unique=True)
    number = models.PositiveIntegerField()
    revision = models.PositiveIntegerField()
    attributes = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)
    features = models.PositiveIntegerField(default=0)
    from_moment = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "图层版本"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_once")]

    def __str__(self) -> str:
        return f"{self.dataset_id} v{self.number}"


class ImportState(models.TextChoices):
    READING = "reading", "正在读取"
    READ = "read", "等待写入"
    FAILED = "failed", "没有读成"
    WRITING = "writing", "正在写入"
    WRITTEN = "written", "已写入"


class DatasetImport(models.Model):
    """A file on its way into a dataset: ``report`` is what was read of it, ``columns`` say which attribute each becomes."""

    id = models.UUIDField(primary_key=True, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=ImportState, default=ImportState.READING)
    table = models.CharField(max_length=120, blank=True)
    datum = models.CharField(max_length=12, blank=True)
    columns = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    error = models.CharField(max_length=400, blank=True)
    job = models.UUIDField(null=True)
    act = models.ForeignKey(DatasetAct, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "图层导入文件"
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.name
