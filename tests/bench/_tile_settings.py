"""The settings of a server that also draws the layers of the ``tiles`` benchmark."""

from web.settings import *  # noqa: F403
from web.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.bench.tile_layers"]
