"""How layers are drawn, as staff set it, in versions: the newest of a layer holds."""

from __future__ import annotations

from django.db import models


class StyleVersion(models.Model):
    """A style of a layer in one version; none is ever changed. Empty ``data`` gives the layer back to its usual style.

    ``key`` is of the form it came by: sent twice, it is kept once.
    """

    key = models.UUIDField(unique=True)
    layer = models.SlugField(max_length=60)
    number = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "图层样式"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["layer", "number"], name="style_number_once")]

    def __str__(self) -> str:
        return f"{self.layer} v{self.number}"
