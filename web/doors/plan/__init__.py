"""The planners' door: catchments by rules and areas, marked ground, gaps; the table on which areas are drawn."""
