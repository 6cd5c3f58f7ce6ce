"""The settings of tests: the house's own, with a Redis database, a folder of road graphs and quiet logs for each test process."""

import os
from zlib import crc32

from web import environment

environment.load_file()
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_url = os.environ.get("REDIS_URL", f"unix://{environment.STATE}/sock/redis.sock?db=0")
_name = os.environ.get("QUANTU_TEST_DB", "test_quantu")
# Redis has sixteen numbered databases: sessions of other names should not meet in one.
_number = int(WORKER.removeprefix("gw")) + crc32(_name.encode())
os.environ["REDIS_URL"] = _url.rpartition("db=")[0] + f"db={1 + _number % 15}"
os.environ["QUANTU_GRAPHS"] = str(environment.STATE / "test" / f"graphs-{_name}-{WORKER}")
os.environ["QUANTU_LOG"] = "CRITICAL"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop running in the test's thread

from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402

from web.settings import *  # noqa: E402, F403

# A fifth of a second for each password, on purpose; what the house takes is proven in tests/services/access/test_passwords.py.
PBKDF2PasswordHasher.iterations = 1_000

KEYSTORE = environment.STATE / "test" / f"keystore-{_name}-{WORKER}"
KEYSTORE_MADE_HERE = True
SIGNING_KEYS = environment.STATE / "test" / f"signing-keys-{_name}-{WORKER}"
SIGNING_KEYS_MADE_HERE = True
LOG_HEADS = environment.STATE / "test" / f"log-heads-{_name}-{WORKER}"
PROGRAM_MANIFEST = environment.STATE / "test" / f"manifest-{_name}-{WORKER}"
MEDIA_ROOT = environment.STATE / "test" / f"media-{_name}-{WORKER}"
