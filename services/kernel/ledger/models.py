"""What people keep of a ledger for themselves: their views."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A question to a ledger that somebody keeps under a name; ``query`` is the query string of the list, without the page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ledger = models.SlugField(max_length=40)
    name = models.CharField(max_length=30)
    query = models.CharField(max_length=2_000, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "存的视图"
        ordering = ["ledger", "name"]
        constraints = [models.UniqueConstraint(fields=["user", "ledger", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return f"{self.ledger} {self.name}"
