"""What was measured: walks by cell and kind of place, and the ground they stand on. Of places and doors only, of no person."""

from __future__ import annotations

from django.db import models

from services.facilities.models import FacilityKind


class GapGround(models.Model):
    """The cells of the city and how the homes of each region lie in them, of one state of the map (``stamp``).

    ``arrays`` is what ``services.gaps.ground.Ground`` holds, ``doors`` the cells' centres put on the roads of who walks
    (``routing.places.Doors``), both packed. A ground goes when nothing measured stands on it.
    """

    stamp = models.CharField(max_length=64, unique=True)
    graph = models.CharField(max_length=80)
    roads_as_of = models.CharField(max_length=10, blank=True)
    arrays = models.BinaryField()
    doors = models.BinaryField(default=b"")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "服务盲区的底数"

    def __str__(self) -> str:
        return self.stamp


class GapWalk(models.Model):
    """The walk to the nearest open place of a kind, from every cell of a ground; ``places_stamp`` says from which places.

    ``arrays`` is what ``services.gaps.measuring.Walks`` holds, packed.
    """

    kind = models.OneToOneField(FacilityKind, on_delete=models.CASCADE, primary_key=True, related_name="+")
    ground = models.ForeignKey(GapGround, on_delete=models.CASCADE, related_name="walks")
    places = models.PositiveIntegerField()
    places_stamp = models.CharField(max_length=64)
    arrays = models.BinaryField()
    measured_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "到最近机构的步行时间"

    def __str__(self) -> str:
        return self.kind_id
