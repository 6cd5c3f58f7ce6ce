"""What tests of applying share with those of the finder: a family, and institutions of the tiny city."""

from tests.services.modules.finder.conftest import family, places  # noqa: F401 (fixtures)
