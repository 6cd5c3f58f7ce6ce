"""``./run manage demo_accounts``: make the six demo accounts, once there are regions, and give the institution a place."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from services.access.demo import DEMO_PASSWORD, make_demo_accounts
from services.facilities.demo import give_demo_places


class Command(BaseCommand):
    """Make or renew the demo accounts and print them."""

    requires_system_checks = []  # migrate has just run them all
    help = "Make the six demo accounts (never on a house with real accounts)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer ``--quiet``."""
        parser.add_argument("--quiet", action="store_true", help="print nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them; print name, password and what each may do."""
        accounts = make_demo_accounts()
        give_demo_places()
        if not options["quiet"]:
            for user in accounts:
                self.stdout.write(f"{user.username:12} {DEMO_PASSWORD}  {user.display_name}")
