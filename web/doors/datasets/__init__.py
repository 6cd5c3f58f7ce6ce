"""Layers that staff make, at the desk."""
