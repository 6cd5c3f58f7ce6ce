"""Checks of boundaries, of where addresses stand, and of door numbers: what is wrong, by how much, and where to look."""
