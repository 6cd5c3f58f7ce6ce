"""Layers into files people take elsewhere: GeoPackage, FlatGeobuf, GeoParquet, GeoJSON, CSV, Shapefile, PMTiles."""
