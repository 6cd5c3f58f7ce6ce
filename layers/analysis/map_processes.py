"""The processes of spatial analysis, in the order people are offered them."""

from layers.analysis.density import DENSITY
from layers.analysis.gathering import BUFFER, DISSOLVE
from layers.analysis.overlaying import OVERLAY
from layers.analysis.relating import NEAR, RELATE

PROCESSES = (BUFFER, NEAR, RELATE, OVERLAY, DISSOLVE, DENSITY)
