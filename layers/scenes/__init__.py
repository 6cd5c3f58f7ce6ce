"""Scenes: placed three-dimensional models, tilesets and single ones, kept in versions and given out file by file."""
