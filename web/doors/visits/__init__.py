"""Visits to people's homes, and check-ins."""
