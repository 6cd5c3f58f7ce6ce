"""What can be wrong with a geometry."""

from geo.errors import BadInput, TooLarge


class BadGeometry(BadInput):
    """The geometry cannot be read, or cannot be meant."""


class GeometryTooLarge(TooLarge):
    """The geometry is beyond the limits that protect the service."""
