"""How far a job is, as pages say it."""

from __future__ import annotations

from typing import Final

STATES: Final = {
    "new": ("", "circle", "待开始"),
    "queued": ("kind", "clock", "排队中"),
    "running": ("kind", "loader-circle", "进行中"),
    "done": ("good", "circle-check", "已完成"),
    "failed": ("bad", "circle-x", "失败"),
    "cancelled": ("warn", "circle-alert", "已停下"),
}
"""Badge, icon and words of each state."""
