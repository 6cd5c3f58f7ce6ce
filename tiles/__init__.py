"""The drawing engine: tile schemes, vector tiles from PostGIS, clusters and their cache."""
