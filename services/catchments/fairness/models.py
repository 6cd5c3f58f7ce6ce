"""What an edition means for families, by committee and by kindergarten: sums only, no door and no child."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from geo.regions.models import Region
from services.catchments.models import CatchmentEdition
from services.catchments.validating.models import Validation
from services.crypto.identifiers import new_id
from services.facilities.models import Facility


class FairnessRun(models.Model):
    """An edition measured at one revision; with ``validation``, its children too, who are of ``grades`` of the three grades.

    ``totals`` says for the whole district what a line says for a committee, and what became of the children.
    It goes with the register whose children it counts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.UUIDField(unique=True, help_text="of the form it came by: sent twice, it is run once")
    edition = models.ForeignKey(CatchmentEdition, on_delete=models.CASCADE, related_name="fairness_runs")
    revision = models.PositiveIntegerField()
    validation = models.ForeignKey(Validation, on_delete=models.CASCADE, null=True, related_name="fairness_runs")
    grades = models.PositiveSmallIntegerField(default=1)
    job = models.UUIDField(null=True)
    totals = models.JSONField(default=dict)
    roads_as_of = models.CharField(max_length=10, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "公平性分析"
        ordering = ["-made_at"]
        constraints = [models.CheckConstraint(condition=Q(grades__gte=1, grades__lte=3), name="fairness_grades")]
        indexes = [models.Index(fields=["edition", "-made_at"], name="fairness_listed")]

    def __str__(self) -> str:
        return f"{self.edition_id} r{self.revision}"


class FairnessCommittee(models.Model):
    """One committee in a run; ``committee`` is ``None`` for doors and children of which it is not known.

    Of ``doors``, ``unmatched`` go nowhere and ``unclear`` cannot be told; the others are walked from. Seconds are those of the
    door in the middle, or at nine tenths, when sorted; ``None`` where that one is out of reach. ``far`` doors walk more than a
    quarter of an hour, ``lost`` ones of them reach no matched kindergarten. Children are ``None`` without a register.
    """

    run = models.ForeignKey(FairnessRun, on_delete=models.CASCADE, related_name="committees")
    committee = models.ForeignKey(Region, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=120)
    doors = models.PositiveIntegerField()
    unmatched = models.PositiveIntegerField()
    unclear = models.PositiveIntegerField()
    far = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()
    matched_s = models.PositiveIntegerField(null=True)
    matched_90_s = models.PositiveIntegerField(null=True)
    nearest_s = models.PositiveIntegerField(null=True)
    nearest_90_s = models.PositiveIntegerField(null=True)
    extra_s = models.PositiveIntegerField(null=True)
    children = models.PositiveIntegerField(null=True)
    children_far = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = "公平性分析的居委"
        constraints = [models.UniqueConstraint(fields=["run", "committee"], name="fairness_committee_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"


class FairnessSite(models.Model):
    """One kindergarten in a run: its places as they were known, doors and children that go to it alone or may choose it.

    ``children_shared`` gives each child that may choose among several an equal part in each of them.
    """

    run = models.ForeignKey(FairnessRun, on_delete=models.CASCADE, related_name="sites")
    site = models.ForeignKey(Facility, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=120)
    places = models.PositiveIntegerField(null=True)
    places_as_of = models.DateField(null=True)
    doors = models.PositiveIntegerField()
    doors_shared = models.PositiveIntegerField()
    children = models.PositiveIntegerField(null=True)
    children_shared = models.FloatField(null=True)

    class Meta:
        verbose_name = "公平性分析的幼儿园"
        constraints = [models.UniqueConstraint(fields=["run", "site"], name="fairness_site_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"
