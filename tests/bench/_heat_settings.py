"""The settings of a server that also tells the fact of the ``layers`` benchmark."""

from web.settings import *  # noqa: F403
from web.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.bench.heat_facts"]
