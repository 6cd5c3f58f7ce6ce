"""Gaps (服务盲区): how long people of each block walk to the nearest place of each kind, and how many live too far from one."""
