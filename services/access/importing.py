"""What access has to do with importing: the demo accounts follow what is published, inside the same act."""

from __future__ import annotations

from geo.imports.importer import concludes
from services.access.demo import settle_demo_accounts


@concludes
def follow_what_is_published() -> str:
    """Stop the demo accounts with the last invented row, and let them work again beside a new invented city."""
    return settle_demo_accounts()
