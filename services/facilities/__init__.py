"""Facilities: places of service, their kinds, hours and capacity; search, nearest and circle."""
