"""Imagery that staff have connected; its key is a secret of ``services.crypto``."""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models

from services.crypto.identifiers import new_id
from services.integrations.basemaps.schemas import Kind


class View(models.TextChoices):
    """What a base map shows."""

    MAP = "map", "电子地图"
    SATELLITE = "satellite", "卫星影像"
    OBLIQUE = "oblique", "倾斜摄影"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), model_name="BaseMapEvent")
class BaseMap(models.Model):
    """A server of imagery: where it is asked, what its tiles show, and who may see them.

    ``address`` and ``names_address`` (names drawn above it, '' for our own) are as ``checked_address`` returns them. ``style``,
    ``matrix_set``, ``matrix`` and ``picture`` are of WMTS. ``secret_name`` is the
    parameter that bears the key, '' where none is kept. ``revision`` is what a form has seen, and part of every tile's address.
    The one that ``leads`` is what the maps of themes (养老一张图) begin on.
    """

    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    key = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=20, unique=True)
    view = models.CharField(max_length=20, choices=View)
    kind = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Kind])
    address = models.CharField(max_length=400)
    layer = models.CharField(max_length=80, blank=True)
    names_address = models.CharField(max_length=400, blank=True)
    names_layer = models.CharField(max_length=80, blank=True)
    style = models.CharField(max_length=80, default="default")
    matrix_set = models.CharField(max_length=80, default="w")
    matrix = models.CharField(max_length=80, default="{z}")
    picture = models.CharField(max_length=80, default="tiles")
    secret_name = models.CharField(max_length=40, blank=True)
    attribution = models.CharField(max_length=80)
    approval = models.CharField(max_length=40, blank=True)
    min_zoom = models.PositiveSmallIntegerField(default=1)
    max_zoom = models.PositiveSmallIntegerField(default=18)
    staff_only = models.BooleanField(default=False)
    on = models.BooleanField(default=False)
    leads = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    events: Any

    class Meta:
        verbose_name = "底图"
        ordering = ["view", "title"]
        constraints = [
            models.UniqueConstraint(fields=["leads"], condition=models.Q(leads=True), name="basemap_one_leads")
        ]

    def __str__(self) -> str:
        return self.title
