#!/usr/bin/env python
"""Django's command line; ``./run manage`` calls it with the right environment."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")
    from geo.kept.scratch import begin

    begin(settings.SCRATCH)
    execute_from_command_line(sys.argv)
