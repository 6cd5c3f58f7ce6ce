"""Conditions from outside (CQL2, text or JSON) as constant SQL with bound values: nothing a caller writes becomes SQL."""

from layers.filtering.boxes import box_shape
from layers.filtering.compiling import GEOMETRY, narrowing_of
from layers.filtering.crs import FilterCrs
from layers.filtering.reading import LANGUAGES, read_filter
from layers.filtering.text import parse_text

__all__ = ["GEOMETRY", "LANGUAGES", "FilterCrs", "box_shape", "narrowing_of", "parse_text", "read_filter"]
