"""Standard addresses and communities, each with the origin and the uncertainty of its point, and what people did to them."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db.models.functions import Collate

from geo.crs.codes import CGCS2000
from geo.imports.models import CURRENT, Correction, Sourced
from geo.regions.models import Region


class PointSource(models.TextChoices):
    """How a point was found; the order is from best to worst."""

    SURVEY = "survey", "测绘"
    SOURCE = "source", "来源给出"
    ADDRESS = "address", "由门牌得出"
    COMMUNITY = "community", "由小区得出"
    ROAD = "road", "由道路得出"
    REGION = "region", "由区划得出"


class Located(models.Model):
    """A point with its origin, its uncertainty, its region and its H3 cell, all written in one place."""

    geom = models.PointField(srid=CGCS2000)
    point_source = models.CharField(max_length=10, choices=PointSource, default=PointSource.SOURCE)
    uncertainty_m = models.FloatField(default=20.0, help_text="radius that holds the true point nine times in ten")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    cell = models.BigIntegerField(db_index=True, help_text="H3 cell at resolution 10")

    class Meta:
        abstract = True


class Community(Sourced, Located):
    """A residential community (小区) or a non-residential site."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=[("residential", "小区"), ("nonresidential", "非居住")])
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    address_text = models.CharField(max_length=300, blank=True)
    boundary = models.MultiPolygonField(srid=CGCS2000, null=True)
    households = models.PositiveIntegerField(null=True)
    built_year = models.PositiveSmallIntegerField(null=True)
    grams = ArrayField(models.CharField(max_length=24), default=list)

    class Meta(Sourced.Meta):
        verbose_name = "小区"
        indexes = [
            GinIndex(fields=["grams"], name="community_grams", condition=CURRENT),
            models.Index(fields=["name"]),
        ]

    def __str__(self) -> str:
        return self.name


class Address(Sourced, Located):
    """One standard address. ``text`` is what its source wrote, ``normal`` the form that equal addresses share."""

    community = models.ForeignKey(Community, on_delete=models.SET_NULL, null=True, related_name="addresses")
    road = models.CharField(max_length=80, blank=True)
    lane = models.CharField(max_length=20, blank=True)
    sub_lane = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=20, blank=True)
    suffix = models.CharField(max_length=20, blank=True)
    building = models.CharField(max_length=20, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    floor = models.CharField(max_length=20, blank=True)
    room = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=300)
    normal = models.CharField(max_length=200)
    updated_at = models.DateTimeField(auto_now=True, help_text="whoever saves says which moment they have seen")

    class Meta(Sourced.Meta):
        verbose_name = "门牌地址"
        indexes = [
            models.Index(fields=["normal"], opclasses=["text_pattern_ops"], name="address_normal"),
            models.Index(fields=["road", "lane", "number"]),
            # lists go through the current addresses in the order of their bytes, whatever the database sorts by
            models.Index(Collate("normal", "C"), "id", name="address_listed", condition=CURRENT),
        ]

    def __str__(self) -> str:
        return self.text


class AliasKind(models.TextChoices):
    """Why an address answers to another writing."""

    SPELLING = "spelling", "别的写法"
    OLD_NAME = "old_name", "旧地名"
    MERGED = "merged", "并入的地址"
    SPLIT = "split", "拆分前的地址"


class AddressAlias(models.Model):
    """Another writing that an address answers to, made from the correction that says so and made again after every import."""

    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="aliases")
    correction = models.ForeignKey(Correction, on_delete=models.CASCADE, related_name="+")
    former = models.ForeignKey(Address, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=AliasKind)
    road = models.CharField(max_length=80)
    lane = models.CharField(max_length=20, blank=True)
    sub_lane = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=20, blank=True)
    suffix = models.CharField(max_length=20, blank=True)
    building = models.CharField(max_length=20, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    floor = models.CharField(max_length=20, blank=True)
    room = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=300)
    normal = models.CharField(max_length=200)
    from_day = models.DateField(null=True, help_text="not answered to before this day")
    to_day = models.DateField(null=True, help_text="the last day of an old name; it is still answered to afterwards")

    class Meta:
        verbose_name = "地址别名"
        constraints = [models.UniqueConstraint(fields=["correction", "address"], name="alias_once")]
        indexes = [
            models.Index(fields=["normal"], opclasses=["text_pattern_ops"], name="alias_normal"),
            models.Index(fields=["road", "lane", "number"], name="alias_door"),
        ]

    def __str__(self) -> str:
        return f"{self.normal} → {self.address_id}"


class Act(models.TextChoices):
    """What people do to addresses."""

    CORRECT = "correct", "更正"
    MERGE = "merge", "合并"
    SPLIT = "split", "拆分"
    ALIAS = "alias", "添加别名"
    ADD = "add", "补录"
    RETIRE = "retire", "停用"
    UNDO = "undo", "撤销"


class AddressChange(models.Model):
    """One act of a person on addresses: who, when, why, and each address as it was before and after (``null``: not there)."""

    act = models.CharField(max_length=8, choices=Act)
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)
    addresses = ArrayField(models.BigIntegerField(), help_text="ids of the addresses it touched")
    corrections = ArrayField(models.BigIntegerField(), help_text="ids of the corrections it wrote")
    before = models.JSONField(help_text="address id → what it said")
    after = models.JSONField()
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        ordering = ["-id"]
        verbose_name = "地址变更"
        indexes = [GinIndex(fields=["addresses"], name="change_addresses")]

    def __str__(self) -> str:
        return f"{self.act} {self.addresses} {self.actor}"


class ConflictKind(models.TextChoices):
    """In what two statements about one address disagree."""

    APART = "apart", "同一地址，位置相距过远"
    REGIONS = "regions", "同一地址，所属区划不同"
    COMMUNITIES = "communities", "同一地址，所属小区不同"
    FACILITY = "facility", "机构的地址与位置不符"


class ConflictState(models.TextChoices):
    OPEN = "open", "待审"
    DECIDED = "decided", "已裁定"
    GONE = "gone", "已消失"


class AddressConflict(models.Model):
    """Statements of sources that cannot all be true, for people to decide; decided ones come back only with other facts."""

    kind = models.CharField(max_length=12, choices=ConflictKind)
    subject = models.CharField(max_length=260, help_text="what it is about; one row for each kind and subject")
    title = models.CharField(max_length=300)
    facts = models.JSONField(help_text="the statements, as they were when found")
    digest = models.CharField(max_length=32, help_text="of the facts: other facts open a decided conflict again")
    metres = models.FloatField(default=0.0, help_text="how far apart the statements are")
    geom = models.PointField(srid=CGCS2000)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=ConflictState, default=ConflictState.OPEN, db_index=True)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    decisions = models.JSONField(default=list, help_text="who decided what, when and why; the last one counts")

    class Meta:
        verbose_name = "地址冲突"
        ordering = ["-metres", "id"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="conflict_once")]

    def __str__(self) -> str:
        return self.title


class AddressAudit(models.Model):
    """One check of boundaries and door numbers: what was looked at, with what tolerance, and how much was found."""

    job = models.UUIDField(null=True)
    actor = models.CharField(max_length=150)
    path = models.CharField(max_length=80, help_text="of the region that was checked")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    tolerances = models.JSONField(default=dict)
    looked_at = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        verbose_name = "地址核查"

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"


class FindingKind(models.TextChoices):
    """What a check of boundaries and door numbers can find."""

    COMMITTEE_GAP = "committee_gap", "街镇内有空隙"
    COMMITTEE_OVERLAP = "committee_overlap", "居委边界重叠"
    COMMITTEE_BEYOND = "committee_beyond", "居委超出街镇"
    COMMUNITY_OVERLAP = "community_overlap", "小区边界重叠"
    COMMUNITY_BEYOND = "community_beyond", "小区超出居委"
    OUTSIDE_COMMUNITY = "outside_community", "门牌在所属小区之外"
    OUTSIDE_REGION = "outside_region", "门牌不在登记的区划内"
    NUMBER_GAP = "number_gap", "门牌缺号"
    NUMBER_ORDER = "number_order", "门牌顺序颠倒"


class AuditFinding(models.Model):
    """One finding of a check: a sentence, a measure with its unit, and the spot to look at."""

    audit = models.ForeignKey(AddressAudit, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=20, choices=FindingKind)
    message = models.CharField(max_length=400)
    measure = models.FloatField()
    unit = models.CharField(max_length=8)
    subjects = models.JSONField(default=dict, help_text="codes and ids of what it is about")
    geom = models.PointField(srid=CGCS2000)
    region = models.ForeignKey(Region, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        verbose_name = "核查结果"
        indexes = [models.Index(fields=["audit", "kind", "-measure"], name="finding_worst_first")]

    def __str__(self) -> str:
        return self.message
