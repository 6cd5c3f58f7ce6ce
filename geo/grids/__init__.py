"""H3 cells: one bigint at resolution 10, written by one function."""

from geo.grids.cells import RESOLUTION, cell_at, cells_at, parent, parent_masks

__all__ = ["RESOLUTION", "cell_at", "cells_at", "parent", "parent_masks"]
