"""Processes: work on layers that others may ask for, declared in ``map_processes.py``, run as jobs, their results kept."""
