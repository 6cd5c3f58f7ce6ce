"""What is kept of scenes: what is set of each, the packages of files that came for it, and the versions that were published."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.gis.db import models
from django.utils import timezone

from geo.crs.codes import CGCS2000
from geo.regions.models import Region


class SceneKind(models.TextChoices):
    TILESET = "tileset", "模型集（3D Tiles，倾斜摄影）"
    MODEL = "model", "单体模型（glTF）"


class Audience(models.TextChoices):
    """Who sees what is published."""

    EVERYONE = "everyone", "所有人"
    STAFF = "staff", "所属区域和上级的工作人员"


class SceneState(models.TextChoices):
    DRAFT = "draft", "没有发布"
    PUBLISHED = "published", "已发布"
    WITHDRAWN = "withdrawn", "已撤下"


class PackageState(models.TextChoices):
    READING = "reading", "正在核对"
    READY = "ready", "可以用"
    FAILED = "failed", "不能用"


class Described(models.Model):
    """What a scene is called and where it stands.

    A single model, and a tileset about an origin, stand at ``lon``, ``lat``, turned ``heading_deg`` clockwise from north, scaled;
    one that says its own position has neither. ``height_m`` is added to heights: what the origin is above the ground of the map,
    or what takes heights above the ellipsoid to that ground. ``footprint`` is drawn by hand, none for the outline of the model:
    buildings in it are not drawn as white models. From ``min_zoom`` on the flat map loads it; a ``twin`` has a page of its own.
    """

    title = models.CharField(max_length=60)
    source = models.CharField(max_length=200, blank=True)
    as_of = models.DateField(null=True)
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.EVERYONE)
    twin = models.BooleanField(default=False)
    min_zoom = models.PositiveSmallIntegerField(default=16)
    package = models.ForeignKey("scenes.ScenePackage", on_delete=models.RESTRICT, null=True, related_name="+")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    height_m = models.FloatField(default=0.0)
    heading_deg = models.FloatField(default=0.0)
    scale = models.FloatField(default=1.0)
    footprint = models.PolygonField(srid=CGCS2000, null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="SceneEvent")
class Scene(Described):
    """A scene as staff are setting it; ``shown`` is the version that counts, none before the first and while it is withdrawn.

    ``revision`` is what a form has seen, ``said`` what the last act did.
    """

    uid = models.UUIDField(unique=True, editable=False)
    key = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=8, choices=SceneKind)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=SceneState, default=SceneState.DRAFT)
    shown = models.OneToOneField(
        "scenes.SceneVersion", on_delete=models.SET_NULL, null=True, related_name="shown_by"
    )  # fmt: skip
    revision = models.PositiveIntegerField(default=1)
    said = models.CharField(max_length=200)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(default=timezone.now)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "三维模型"
        ordering = ["-changed_at"]
        indexes = [models.Index(fields=["path"], opclasses=["text_pattern_ops"], name="scene_path")]


class ScenePackage(models.Model):
    """An upload for a scene: while it is read it lies as it came, then its files one after the other in one kept file.

    ``uid`` is of the form it came by: sent twice, it is taken once. ``digest`` names its content, the same for the same files.
    ``idle_since`` is when it was left without being part of any version.
    """

    uid = models.UUIDField(unique=True)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="packages")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=PackageState, default=PackageState.READING)
    digest = models.CharField(max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict)
    error = models.CharField(max_length=400, blank=True)
    job = models.UUIDField(null=True)
    idle_since = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "三维模型文件包"
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def short(self) -> str:
        """Return what stands for it in addresses."""
        return self.digest[:16]


class SceneFile(models.Model):
    """A file of a package: which bytes of the kept file it is."""

    package = models.ForeignKey(ScenePackage, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1_000)
    media = models.CharField(max_length=40)
    offset = models.PositiveBigIntegerField()
    bytes = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = "三维模型文件"
        constraints = [models.UniqueConstraint(fields=["package", "path"], name="scene_file_once")]

    def __str__(self) -> str:
        return self.path


class SceneVersion(Described):
    """A scene as it was published; it never changes. Box and heights are of all it shows, ``outline`` is where it stands."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="versions")
    uid = models.UUIDField(unique=True)
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    lowest_m = models.FloatField()
    highest_m = models.FloatField()
    outline = models.PolygonField(srid=CGCS2000)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "三维模型版本"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["scene", "number"], name="scene_version_once")]
