"""Drawn areas with a purpose and a validity: shapes, versions, topology, and what is inside which, now and as things move."""
