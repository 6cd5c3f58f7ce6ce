"""Spatial analysis: layers, drawn shapes and earlier results measured against each other, in metres on the city's plane."""
