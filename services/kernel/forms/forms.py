"""What this package declares itself: the two sources of prefilled values that every form may use."""

from services.kernel.forms.prefill import SOURCES

__all__ = ["SOURCES"]
