"""Django settings: few, typed, and read from the environment through ``web.environment``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import structlog

from geo.tracing import add_request
from web import environment as env

env.load_file()

ROOT: Path = env.ROOT
STATE: Path = env.STATE
DATA: Path = Path(env.text("QUANTU_DATA", str(ROOT.parent / "shared" / "data")))

DEBUG: bool = env.flag("QUANTU_DEBUG")
SECRET_KEY: str = env.secret_key()
ALLOWED_HOSTS: list[str] = env.words("QUANTU_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CORS_ORIGINS: list[str] = env.words("QUANTU_CORS_ORIGINS")
CSRF_TRUSTED_ORIGINS: list[str] = env.words("QUANTU_TRUSTED_ORIGINS")
# Where people reach this site, for codes on paper; without it the sheet of a place bears none.
SITE_URL: str = env.text("QUANTU_SITE_URL", (CSRF_TRUSTED_ORIGINS or [""])[0]).rstrip("/")
CITY: str = env.text("QUANTU_CITY", "shanghai")
MAP_APPROVAL: str = env.text("QUANTU_MAP_APPROVAL", "待填")
# The map app that 导航 opens; the others stay one tap away.
NAVIGATION_APP: str = env.text("QUANTU_NAVIGATION", "amap_web")

MODULES = sorted(f"services.modules.{file.parent.name}" for file in (ROOT / "services/modules").glob("*/apps.py"))
"""The business modules: a package of ``services/modules`` is one by standing there."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "axes",
    "django_celery_beat",
    "ninja",
    "pgtrigger",
    "pghistory",
    "geo.calendars",
    "geo.fences",
    "geo.jobs",
    "geo.imports",
    "geo.regions",
    "geo.roads",
    "geo.basemap",
    "geo.addresses",
    "geo.addresses.standardising",
    "routing",
    "layers.datasets",
    "layers.scenes",
    "layers.processes",
    "layers.analysis",
    "layers.styles",
    "services.crypto",
    "services.integrations",
    "services.access",
    "services.access.clients",
    "services.access.signin",
    "services.basemaps",
    "services.facilities.upkeep",
    "services.access.personal",
    "services.facilities",
    "services.facilities.arranging",
    "services.facilities.preloading",
    "services.facilities.supervision",
    "services.kernel.documents",
    "services.kernel.messages",
    "services.kernel.messages.notices",
    "services.kernel.messages.knowledge",
    "services.kernel.security",
    "services.kernel.logs",
    "services.kernel.rules",
    "services.kernel.ledger",
    "services.kernel.forms",
    "services.kernel.workflow",
    "services.kernel.watching",
    "services.kernel.module",
    "services.gaps",
    "services.catchments",
    "services.catchments.validating",
    "services.catchments.fairness",
    "services.fencing",
    "services.fencing.files",
    "services.fencing.checkins",
    *MODULES,
    "services.modules.finder.recommending",
    "web",
    "services.modules.finder.channels",
    "services.fencing.following",
]

MIDDLEWARE = [
    "web.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "web.middleware.OneAnswer",
    "web.middleware.ContentSecurity",
    "web.middleware.CrossOrigin",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.middleware.OpenTiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "web.middleware.ClientCalls",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "web.middleware.SessionLimits",
    "web.favourites.DeviceFavourites",
    "web.sealed_transport.SealedTransport",
    "web.middleware.NamedErrors",
    "web.middleware.HistoryContext",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "web.urls"
WSGI_APPLICATION = "web.wsgi.application"
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "services.access.backends.SignedAccounts",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.house",
            ],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(env.text("DATABASE_URL", f"postgresql:///quantu?host={STATE / 'sock'}&user=quantu"))
}
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["TEST"] = {"NAME": env.text("QUANTU_TEST_DB", "test_quantu")}
# Only the web server keeps a pool: Celery forks, and commands and tests are short.
if env.flag("QUANTU_POOL"):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 16, "timeout": 5}

REDIS_URL: str = env.text("REDIS_URL", f"unix://{STATE / 'sock' / 'redis.sock'}?db=0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quantu",
        # a store that hangs is as one that is gone: whoever asks says so instead of waiting with it
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 3},
    },
    "basemaps": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": STATE / "basemaps",
        "TIMEOUT": 30 * 86_400,
        "OPTIONS": {"MAX_ENTRIES": int(env.text("QUANTU_BASE_MAP_TILES", "20000")), "CULL_FREQUENCY": 20},
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_MINUTES: int = int(env.text("QUANTU_IDLE_MINUTES", "60"))
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "web.faults.csrf_failed"
SECURE_TLS: bool = env.flag("QUANTU_TLS")
SESSION_COOKIE_SECURE = SECURE_TLS
CSRF_COOKIE_SECURE = SECURE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
AXES_CLIENT_IP_CALLABLE = "services.access.actions.client_address"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "services.access.signin.pages.locked_out"
AXES_VERBOSE = False

# Hashes lie under a seal; the second one is for hashes of before, until their owner signs in or ./run keys reseal.
PASSWORD_HASHERS = [
    "services.access.passwords.SealedHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# This GDAL cannot refuse malicious definitions of coordinate systems; only our own listed numbers ever reach it.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = STATE / "static"
STATICFILES_DIRS = [ROOT / "web" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Names carry a hash where nginx serves them for a year; tests and DEBUG serve the files as they are.
        "BACKEND": "web.static_files.HashedFiles"
        if env.flag("QUANTU_HASHED_STATIC")
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Everything below is sealed (geo.kept), so no other server can hand it out.
MEDIA_ROOT = STATE / "media"
TILE_ARCHIVES: Path = STATE / "archives"
# Where plain contents lie for a moment; ./run puts it into memory where there is room.
SCRATCH: Path = Path(env.text("QUANTU_SCRATCH", str(STATE / "scratch")))
# The virus scanner, tcp://host:3310 or unix:///path; empty: files stay 未查毒, which staff are told.
SCANNER: str = env.text("QUANTU_SCANNER")
SCANNER_SECONDS: float = float(env.text("QUANTU_SCANNER_SECONDS", "60"))
# Whether staff may open files that no scanner has looked at; the public never may.
OPEN_UNSCANNED: bool = env.text("QUANTU_OPEN_UNSCANNED", "1") != "0"
# Files that were removed can be brought back for so many days; then they are deleted for good.
REMOVED_FILES_DAYS: int = int(env.text("QUANTU_REMOVED_FILES_DAYS", "90"))
DOCUMENT_FONTS: Path = Path(env.text("QUANTU_FONTS", "/usr/share/fonts/opentype/noto"))
# The keys of sealed fields. The default file is made at first use; a file named here must exist already.
KEYSTORE: Path = Path(env.text("QUANTU_KEYSTORE", str(STATE / "keystore")))
KEYSTORE_MADE_HERE: bool = not env.text("QUANTU_KEYSTORE")
# The keys that sign grants, logs and programs lie in a file of their own.
SIGNING_KEYS: Path = Path(env.text("QUANTU_SIGNING_KEYS", str(STATE / "signing-keys")))
SIGNING_KEYS_MADE_HERE: bool = not env.text("QUANTU_SIGNING_KEYS")
# A remote key and signature service instead of the two files: https, or a host named among the inside hosts.
KEY_SERVICE_URL: str = env.text("QUANTU_KEY_SERVICE_URL")
KEY_SERVICE_APP: str = env.text("QUANTU_KEY_SERVICE_APP")
KEY_SERVICE_SECRET: str = env.text("QUANTU_KEY_SERVICE_SECRET")
KEY_SERVICE_TIMEOUT_S: float = float(env.text("QUANTU_KEY_SERVICE_TIMEOUT", "5"))
# The security authentication gateway: certificates on telephones, sealed sessions. Without all three there are none.
GATEWAY_URL: str = env.text("QUANTU_GATEWAY_URL")
GATEWAY_APP: str = env.text("QUANTU_GATEWAY_APP")
GATEWAY_SECRET: str = env.text("QUANTU_GATEWAY_SECRET")
GATEWAY_TIMEOUT_S: float = float(env.text("QUANTU_GATEWAY_TIMEOUT", "5"))
# Certificates (PEM) of the authorities we trust ourselves, whatever the gateway says; empty: its word counts.
GATEWAY_ROOTS: str = env.text("QUANTU_GATEWAY_ROOTS")
# Roles whose accounts sign in with a certificate, besides those declared so; and whether a second step may stand in for it while
# the gateway does not answer.
CERTIFICATE_ROLES: list[str] = env.words("QUANTU_CERTIFICATE_ROLES")
CERTIFICATE_FALLBACK: bool = env.flag("QUANTU_CERTIFICATE_FALLBACK")
# Channels on which declared paths are answered in a sealed session only: container, web, program.
SEALED_CHANNELS: list[str] = env.words("QUANTU_SEALED_CHANNELS", "container")
# Where the last signed head of every log is remembered, outside the database.
LOG_HEADS: Path = Path(env.text("QUANTU_LOG_HEADS", str(STATE / "log-heads")))
# What a person signed as right: the programs, and the files that say who may reach the machines.
PROGRAM_MANIFEST: Path = Path(env.text("QUANTU_MANIFEST", str(STATE / "program-manifest")))
POSTGRES_BIN: Path = Path("/usr/lib/postgresql/15/bin")
DEVICE_LOGS: list[str] = env.words(
    "QUANTU_DEVICE_LOGS",
    ",".join(str(STATE / "logs" / name) for name in ("access.log", "nginx-error.log", "city.log", "redis.log"))
    + f",{STATE / 'pg' / 'server.log'},/var/log/auth.log,/var/log/syslog",
)
DEVICE_CONTROLS: list[str] = env.words(
    "QUANTU_DEVICE_CONTROLS",
    f"{STATE / 'nginx' / 'nginx.conf'},{STATE / 'pg' / 'pg_hba.conf'},/etc/passwd,/etc/group,/etc/sudoers,/etc/ssh/sshd_config",
)
# The short-message gateway; without all three nothing is sent, and what is to be sent waits. A host in a private network is
# also named among the inside hosts.
SMS_URL: str = env.text("QUANTU_SMS_URL")
SMS_APP: str = env.text("QUANTU_SMS_APP")
SMS_SECRET: str = env.text("QUANTU_SMS_SECRET")
SMS_TIMEOUT_S: float = float(env.text("QUANTU_SMS_TIMEOUT", "10"))
PROGRESS: dict[str, dict[str, str]] = {
    channel: {part: env.text(f"QUANTU_{channel.upper()}_{part.upper()}") for part in ("url", "app", "secret")}
    for channel in ("one_stop", "community")
}
PROGRESS_TIMEOUT_S: float = float(env.text("QUANTU_PROGRESS_TIMEOUT", "10"))
# The city's library of figures of elders by region; without all three nothing is asked.
ELDERS_URL: str = env.text("QUANTU_ELDERS_URL")
ELDERS_APP: str = env.text("QUANTU_ELDERS_APP")
ELDERS_SECRET: str = env.text("QUANTU_ELDERS_SECRET")
# The city's platform of supervision (互联网+监管); without all three nothing is asked, and ratings wait.
SUPERVISION_URL: str = env.text("QUANTU_SUPERVISION_URL")
SUPERVISION_APP: str = env.text("QUANTU_SUPERVISION_APP")
SUPERVISION_SECRET: str = env.text("QUANTU_SUPERVISION_SECRET")
# The back end of 一张图; without all three nothing is asked, and what it would be told waits.
ONE_MAP_URL: str = env.text("QUANTU_ONE_MAP_URL")
ONE_MAP_APP: str = env.text("QUANTU_ONE_MAP_APP")
ONE_MAP_SECRET: str = env.text("QUANTU_ONE_MAP_SECRET")
# Imagery of others behind the maps: how long one tile is waited for, how long it is fresh, and how many tiles are kept on disk.
BASE_MAP_TIMEOUT_S: float = float(env.text("QUANTU_BASE_MAP_TIMEOUT", "6"))
BASE_MAP_FRESH_S: float = float(env.text("QUANTU_BASE_MAP_DAYS", "7")) * 86_400
# The service that compares faces at check-ins; without all three a face waits for its check.
FACES_URL: str = env.text("QUANTU_FACES_URL")
FACES_APP: str = env.text("QUANTU_FACES_APP")
FACES_SECRET: str = env.text("QUANTU_FACES_SECRET")
FACES_TIMEOUT_S: float = float(env.text("QUANTU_FACES_TIMEOUT", "8"))
# Identity providers by key, such as QUANTU_SIGN_IN=city and QUANTU_SIGN_IN_CITY_URL; see docs/how-to/access.md.
SIGN_IN: dict[str, dict[str, str]] = env.groups(
    "QUANTU_SIGN_IN", ("kind", "name", "url", "public_url", "app", "secret", "audience", "timeout")
)
# Hosts that platforms may be told fence events at (their receivers), over https; none listed: none is told.
RECEIVER_HOSTS: list[str] = [host.lower() for host in env.words("QUANTU_RECEIVER_HOSTS")]
RECEIVER_TIMEOUT_S: float = float(env.text("QUANTU_RECEIVER_TIMEOUT", "10"))
INSIDE_HOSTS: list[str] = [host.lower() for host in env.words("QUANTU_INSIDE_HOSTS")]
GRAPH_ROOT: Path = Path(env.text("QUANTU_GRAPHS", str(STATE / "graphs")))

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "quantu"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "web.schedule:HouseScheduler"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    "worker-beat": {"task": "web.worker_beat", "schedule": 60.0},
    "revive-jobs": {"task": "geo.jobs.revive", "schedule": 60.0},
    "scan-attachments": {"task": "services.kernel.documents.scan_waiting", "schedule": 300.0},
    "deliver-messages": {"task": "services.kernel.messages.deliver", "schedule": 60.0},
    "feed-back": {"task": "services.kernel.workflow.deliver_feedback", "schedule": 60.0},
    "light-cards": {"task": "services.kernel.workflow.light_cards", "schedule": 60.0},
    "chain-logs": {"task": "services.crypto.chain_logs", "schedule": 60.0},
    "sign-device-logs": {"task": "services.kernel.security.sign_device_logs", "schedule": 300.0},
    "check-integrity": {"task": "services.kernel.security.check", "schedule": 86_400.0},
    "collect-logs": {"task": "services.kernel.logs.collect", "schedule": 15.0},
    "keep-log-months": {"task": "services.kernel.logs.keep_months", "schedule": 3600.0},
    "read-receipts": {"task": "services.kernel.messages.read_receipts", "schedule": 60.0},
    "deliver-fence-events": {"task": "services.fencing.following.deliver", "schedule": 60.0},
    "settle-subjects": {"task": "services.fencing.following.settle", "schedule": 30.0},
    "rest-subjects": {"task": "services.fencing.following.rest", "schedule": 3600.0},
    "tidy-files": {"task": "services.kernel.documents.tidy", "schedule": 3600.0},
    "purge-records": {"task": "services.kernel.security.purge", "schedule": 24 * 3600.0},
    "pull-supervision": {"task": "services.facilities.supervision.pull", "schedule": 6 * 3600.0},
    "verify-faces": {"task": "services.fencing.checkins.verify_waiting", "schedule": 300.0},
    "erase-due": {"task": "services.access.personal.erase_due", "schedule": 3600.0},
    "freshen-gaps": {"task": "services.gaps.freshen", "schedule": 60.0},
    "freshen-preloads": {"task": "services.facilities.preloading.freshen", "schedule": 300.0},
    "purge-lists": {"task": "geo.addresses.standardising.purge", "schedule": 3600.0},
    "purge-runs": {"task": "layers.processes.purge", "schedule": 3600.0},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        add_request,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                add_request,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
            ],
            "processor": structlog.processors.JSONRenderer(ensure_ascii=False),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.text("QUANTU_LOG", "INFO").upper()},
    "loggers": {
        # Django's own request log writes whole query strings, which may hold a home address.
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
        # It would tell whole addresses of others, with the keys in them; as a warning, too, of an answer whose head is odd.
        "urllib3": {"level": "ERROR"},
    },
}
