"""The figures of the advisers that are read as a topic."""

from __future__ import annotations

from services.access.transport.spec import Matter, SealedPaths

SEALED_PATHS = (SealedPaths("adviser_topic", "养老顾问主题查询", Matter.STATISTICS, ("/desk/ledgers/adviser-topic",)),)
