"""The desk itself: its frame, modules, settings, working days, security."""
