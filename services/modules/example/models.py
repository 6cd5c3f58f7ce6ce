"""What the example keeps: the service points that were registered."""

from __future__ import annotations

import pghistory
from django.contrib.gis.db import models

from geo.addresses.models import Located


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="ServicePointEvent")
class ServicePoint(Located):
    """A service point as it was registered, under the number of the case by which it was."""

    case_number = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    address_text = models.CharField(max_length=300)
    area_m2 = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    open_at_night = models.BooleanField(default=False)
    registered_on = models.DateField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "社区服务点"
        indexes = [models.Index(fields=["name", "id"], name="service_point_listed")]

    def __str__(self) -> str:
        return self.name
