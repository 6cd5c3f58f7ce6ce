"""Notices (通知公告): written, published now or at a moment, changed, withdrawn; for staff by region and role, or for all."""
