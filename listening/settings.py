"""The one settings file. Every switch is an environment variable (or a line of .env) read here with its type; see .env.example."""

from datetime import timedelta
from pathlib import Path

import environ
from django.core.management.utils import get_random_secret_key
from environ.fileaware_mapping import FileAwareMapping

from listening import admin_frame

BASE_DIR = Path(__file__).resolve().parent.parent


class _Environment(FileAwareMapping):
    """NAME, or what stands in the file that NAME_FILE names (secrets of Docker and Kubernetes); the file goes first."""

    def __getitem__(self, key: str) -> str:
        # Editors end a file with a line break, which is no part of a secret.
        return str(super().__getitem__(key)).strip()


class _Env(environ.FileAwareEnv):
    ENVIRON = _Environment()


env = _Env()
environ.Env.read_env(BASE_DIR / ".env")

# What the platform writes: database, sources, stimuli, reports. Nothing outside this directory is written.
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()
# Folders, or s3://BUCKET/PREFIX: see codecs_runner.places.
SOURCE_STORE = env.str("SOURCE_STORE", "") or DATA_DIR / "sources"
STIMULUS_STORE = env.str("STIMULUS_STORE", "") or DATA_DIR / "stimuli"
# Where nginx reads DATA_DIR itself: the internal location that is mapped to it. Audio then never passes through Python.
MEDIA_ACCEL = env.str("MEDIA_ACCEL", "")
# How long a signed address of a bucket is good for, and the bucket's origin, which raters' pages must be allowed to fetch from.
MEDIA_URL_S = env.int("MEDIA_URL_S", 3600)
MEDIA_ORIGINS = env.list("MEDIA_ORIGINS", default=[])
# The researcher's own recordings of spoken words, <language>/<word>.flac; what is not there eSpeak NG says.
SCREENING_SPEECH = Path(env.str("SCREENING_SPEECH", str(DATA_DIR / "speech")))


def _secret_key() -> str:
    """SECRET_KEY of the environment, else one made once and kept in DATA_DIR, so that a laptop needs no set-up."""
    if key := env.str("SECRET_KEY", ""):
        return key
    path = DATA_DIR / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text().strip()


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = _secret_key()
# Participants' ids are encrypted with the first and fingerprinted with the last of these; a new key goes in front.
PARTICIPANT_KEYS = env.list("PARTICIPANT_KEYS", default=[SECRET_KEY])
# Without a token everything about Prolific is done by hand, through files. Shown on no page and written in no log.
PROLIFIC_TOKEN = env.str("PROLIFIC_TOKEN", "")
PROLIFIC_BASE_URL = env.str("PROLIFIC_BASE_URL", "https://api.prolific.com").rstrip("/")
PROLIFIC_WEBHOOK_SECRETS = env.list("PROLIFIC_WEBHOOK_SECRETS", default=[])
PROLIFIC_POLL_S = env.int("PROLIFIC_POLL_S", 60)
# A form of the admin is the largest thing that is posted (a study with its conditions and questions); files have limits of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("POST_BYTES", 2_500_000)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
PARTICIPANT_RETENTION_DAYS = env.int("PARTICIPANT_RETENTION_DAYS", 365)
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
PUBLIC_IS_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "listening.apps.ListeningConfig",
]

MIDDLEWARE = [
    "listening.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "listening.authentication.SecondFactorMiddleware",
    "listening.views.limits.LimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "listening.unavailable.UnavailableMiddleware",
    # Last: it turns a refused log-in into the answer of views.login.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "listening.urls"
WSGI_APPLICATION = "listening.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.db_url_config(env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A rating that was acknowledged must survive a power cut: WAL with synchronous=FULL. IMMEDIATE takes the write lock when
    # the transaction begins, so that two writers wait for each other instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # Tests have it on disk too: threads that share a database in memory fail where this one would wait.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    # A password that is not in the address, so that it alone is a secret.
    DATABASES["default"]["PASSWORD"] = DATABASES["default"]["PASSWORD"] or env.str("POSTGRES_PASSWORD", "")
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
    if env.bool("DATABASE_POOLED", False):
        # Behind pgbouncer in transaction mode a connection is somebody else's after each transaction: no cursor and no prepared
        # statement may live longer.
        DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
        DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Requests a minute, counted by `services.limits`; 0 counts nothing. A hundred raters behind one address stay far below all of them.
LIMITS = {
    "arrivals": env.int("ARRIVALS_PER_MINUTE", 1_200),  # links opened, by address
    "session": env.int("SESSION_REQUESTS_PER_MINUTE", 600),  # pages and API of one rater, by token
    "clip": env.int("CLIP_REQUESTS_PER_MINUTE", 120),  # of one clip's address, by ticket
    "hooks": env.int("HOOKS_PER_MINUTE", 1_200),  # webhooks, by address
    "public": env.int("PUBLIC_REQUESTS_PER_MINUTE", 600),  # leaderboard and schema, by address
    "researcher": env.int("API_REQUESTS_PER_MINUTE", 600),  # the researchers' API, by account
}
# All processes count together in Redis where there is one, else each for itself. What else is cached stays in the process: Django
# would read it back with pickle, and audio workers can write to the broker.
LIMITS_URL = env.str("LIMITS_URL", "") or env.str("CELERY_BROKER_URL", "")
_IN_PROCESS = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
CACHES = {
    "default": {**_IN_PROCESS, "LOCATION": "default"},
    "limits": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": LIMITS_URL,
        # A Redis that hangs must not hold up an answer: it is not counted then.
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
    }
    if LIMITS_URL.startswith(("redis://", "rediss://"))
    else {**_IN_PROCESS, "LOCATION": "limits"},
}

LANGUAGE_CODE = "en"
# What raters' pages can be read in: a study is in one of them. The admin is in English.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "listening" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a directory that is not there yet
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# Guesses at passwords: so many wrong ones for one account, or from one address, and neither is let in before the pause is over.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "listening.authentication.PasswordAndCode"]
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES", 10)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("LOGIN_PAUSE_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
# A right password ends the count. A guess during the pause does not lengthen it: nobody can keep a researcher out for good by it.
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "listening.views.login.refused"
AXES_CLIENT_IP_CALLABLE = "listening.views.login.address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]
AXES_ENABLE_ADMIN = False
# Whether staff must log in with a second factor; without it each of them may. API tokens are never asked for one.
REQUIRE_TOTP = env.bool("REQUIRE_TOTP", False)
OTP_TOTP_ISSUER = "Codec listening tests"
# Wrong codes are counted with wrong passwords, above; a pause of the device's own would refuse right codes and not say why.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "listening.passwords.ContextWordsValidator"},
]

# Participants' links carry their ids: no page passes its address on to another site. ("no-referrer" would make browsers send
# `Origin: null` with every form, which Django's CSRF check refuses.)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
# With the prefix a browser takes the cookie over TLS only, and from this very host only.
COOKIE_PREFIX = "__Host-" if PUBLIC_IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "listening.login_sessions"
# Researchers log in again after half a day, however busy they were.
SESSION_COOKIE_AGE = 12 * 3600
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", False)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", SECURE_HSTS_SECONDS > 0)
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["listening.views.limits.ResearcherThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Codec listening tests",
    "DESCRIPTION": "Post ratings, watch a study fill, export its ratings.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

# Without a broker, `manage.py worker` polls the job table; with one, workers are woken at once. The rows are the truth either way.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long the broker is away, wait for it
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_TASK_ROUTES = {"codecs_runner.*": {"queue": "render"}}
# Seconds between looks for jobs that got lost; workers that are alive say so as often.
SWEEP_S = env.float("SWEEP_S", 30.0)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "listening.sweep", "schedule": SWEEP_S},
    "alerts": {"task": "listening.alerts", "schedule": 60.0},
    "sandboxes": {"task": "listening.sandboxes", "schedule": 60.0},
    "keep up with Prolific": {"task": "listening.keep_up", "schedule": float(PROLIFIC_POLL_S)},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "listening.redaction.Formatter", "format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "listening.redaction.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": env.str("LOG_FORMAT", "plain")}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
    # What runserver says of each request; Django's own handler would print the whole address.
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
# Error e-mails (to ADMINS) carry neither addresses with ids nor ids in variables.
DEFAULT_EXCEPTION_REPORTER = "listening.redaction.ErrorReport"
# Who is told when something needs a person; see services/operations.py for what does.
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
ALERT_WEBHOOK = env.str("ALERT_WEBHOOK", "")
ALERT_STALL_MINUTES = env.int("ALERT_STALL_MINUTES", 60)
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
ADMINS = [("", address) for address in ALERT_EMAILS]
# The least that an hour should pay, in pence or cents, where Prolific was not asked for its own minimum.
MINIMUM_HOURLY_MINOR = env.int("MINIMUM_HOURLY_MINOR", 600)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

UNFOLD = admin_frame.UNFOLD
