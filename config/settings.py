"""Settings, read from top to bottom. What is not understood stops the start.

Every variable of the environment is read here and nowhere else; `docs/` lists them. On a developer's
machine nothing needs to be set. Production sets `DEBUG=false`, its keys, `ALLOWED_HOSTS` and `DATABASE_URL`.
"""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config.kernel.catalogues import languages_written
from config.kernel.codes import CODE_PATH_SCHEMA
from config.kernel.keys import KEY_LENGTHS, check_old_keys, signing_keys
from config.kernel.logging import logging_config
from config.kernel.postgres import project_var
from config.kernel.rates import parse_rate

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = project_var()
"""All that is made at run time: `RISTOURNE_VAR`, else `var/`."""

env = environ.Env()


def flag(name: str, default: bool) -> bool:
    """A yes or no from the environment; anything else is a typing error, not a no."""
    text = env.str(name, str(default)).lower()
    if text not in {"true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text in {"true", "1"}


# --- What this process is -----------------------------------------------------------------------------

DEBUG = flag("DEBUG", True)
ROLE = env.str("RISTOURNE_ROLE", "command")
"""`web` (set by config/wsgi.py) answers requests under short time-outs; `command` may run for hours."""
if ROLE not in {"web", "command"}:
    raise ImproperlyConfigured(f"RISTOURNE_ROLE must be web or command, not {ROLE!r}.")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if not DEBUG and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS: the host names this installation answers to.")

# --- Keys: one leaked key must open one door ----------------------------------------------------------

_keys = signing_keys(KEY_LENGTHS, os.environ, generate_into=VAR_DIR / "keys.json" if DEBUG else None)
SECRET_KEY = _keys["SECRET_KEY"]
EVALUATION_KEY = _keys["EVALUATION_KEY"]
"""Signs basket evaluations, nothing else."""
IDENTIFICATION_KEYS = [_keys["IDENTIFICATION_KEY"], *env.list("IDENTIFICATION_KEYS_BEFORE", default=[])]
"""Sign members' cookies, bearers and login addresses: the first one does, the earlier ones still open theirs."""
DEVICE_KEY = _keys["DEVICE_KEY"]
"""Hashes the device identifiers that come with events, nothing else."""
VOUCHER_CODE_KEYS = [_keys["VOUCHER_CODE_KEY"], *env.list("VOUCHER_CODE_KEYS_BEFORE", default=[])]
"""Voucher codes are derived under the first; the others derive those issued before it."""
VOUCHER_LOOKUP_KEYS = [_keys["VOUCHER_LOOKUP_KEY"], *env.list("VOUCHER_LOOKUP_KEYS_BEFORE", default=[])]
"""Codes are looked up under all of them, and remembered under the first."""
VOUCHER_POOL_KEYS = [_keys["VOUCHER_POOL_KEY"], *env.list("VOUCHER_POOL_KEYS_BEFORE", default=[])]
"""Uploaded codes are encrypted under the first; the others read what was encrypted before."""

check_old_keys([*VOUCHER_CODE_KEYS, *VOUCHER_LOOKUP_KEYS, *VOUCHER_POOL_KEYS])

# --- Applications -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "import_export",
    "simple_history",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "procrastinate.contrib.django",
    "config",
    "members",
    "segments",
    "loyalty",
    "rewards",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

# Calls of the API (/api/, /oauth/) pass through the first three only: the others step aside for them.
MIDDLEWARE = [
    "config.kernel.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.kernel.middleware.SessionMiddleware",
    "config.kernel.middleware.CommonMiddleware",
    "config.kernel.middleware.CsrfViewMiddleware",
    "config.kernel.middleware.AuthenticationMiddleware",
    "config.kernel.middleware.OTPMiddleware",
    "config.kernel.middleware.MessageMiddleware",
    "config.kernel.middleware.XFrameOptionsMiddleware",
    "config.kernel.middleware.HistoryRequestMiddleware",
    "config.kernel.middleware.AxesMiddleware",
    "config.kernel.middleware.HtmxMiddleware",
    "members.middleware.MemberMiddleware",
    "rewards.middleware.SeenByAllMiddleware",
]

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
            ]
        },
    }
]

# --- Database and cache -------------------------------------------------------------------------------

_database: dict[str, Any] = {"NAME": "ristourne"}
if "DATABASE_URL" in os.environ:
    _database = env.db_url("DATABASE_URL")
    if _database["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must start with postgres://: PostgreSQL is the only engine.")
_connection_options = dict(_database.pop("OPTIONS", {}))
if ROLE == "web":
    # A request that waits for a lock gives up early and says 503; imports and migrations may take longer.
    _connection_options["options"] = "-c lock_timeout=2s -c statement_timeout=5s"
DATABASES = {
    "default": _database
    | {
        "ENGINE": "config.kernel.db",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _connection_options,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without Redis caches and throttles count per process.
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://ristourne")}

# --- Language and time: pages translate, the database keeps UTC, programmes have zones of their own ----

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
LANGUAGES = languages_written(LOCALE_PATHS[0])
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- People: staff sign in with a password and a second factor ----------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Ristourne"
# Our middleware are subclasses that step aside for the API; these checks know only the originals' names.
SILENCED_SYSTEM_CHECKS = ["axes.W002", "security.W002", "security.W003"]

# --- Partners: OAuth 2.0, client credentials only -----------------------------------------------------

OAUTH2_PROVIDER_APPLICATION_MODEL = "members.Partner"
SCOPES = {
    "promotions:read": "Read promotions and their segments",
    "promotions:write": "Link promotions to segments",
    "segments:read": "Read segments and who is in them",
    "segments:write": "Put members into segments and take them out",
    "points:evaluate": "Ask what a basket would earn",
    "points:earn": "Post transactions",
    "points:reverse": "Take back transactions, whole or in part",
    "points:redeem": "Exchange points for gifts, check and use vouchers",
    "points:adjust": "Adjust a member's points by hand",
    "events:write": "Post events that give points",
    "catalogue:read": "Read languages, categories, gifts and products",
    "catalogue:write": "Write products",
    "members:identify": "Open a member's pages for them",
    "members:read": "Read members, balances and histories",
    "members:write": "Enrol and change members",
}
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "SCOPES_BACKEND_CLASS": "members.oauth.PartnerScopes",
    "OAUTH2_VALIDATOR_CLASS": "members.oauth.PartnerValidator",
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "CLIENT_SECRET_HASHER": "generated_secret",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": [],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    # Every gate of RFC 9700 (best current practice) that the toolkit has.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    # Only for the generated secrets of partners: what 128 random characters need is no slow hash.
    "members.hashers.GeneratedSecretHasher",
]

# --- The API ------------------------------------------------------------------------------------------

API_RATE = parse_rate("API_RATE", env.str("API_RATE", "12000/min"))
"""Calls per client in a fixed window: `<count>/<s|min|h>`."""
GUESS_RATE = parse_rate("GUESS_RATE", env.str("GUESS_RATE", "30/min"))
"""Voucher codes that cannot be used, per client: a till's typing errors pass, guessing does not."""
API_MAX_BODY_BYTES = 1024 * 1024
CATALOGUE_LEASE_SECONDS = 0.2
"""How long a process may show the catalogue without asking for its number, and what staff change waits for."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["members.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.kernel.api.schema.OperationSchema",
    "EXCEPTION_HANDLER": "config.kernel.api.problems.exception_handler",
    "DEFAULT_METADATA_CLASS": None,
    "UNAUTHENTICATED_USER": None,
}
MEMBER_AUTHENTICATION = "members.api.authentication.MemberAuthentication"
"""Of the calls a member makes for herself."""
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Ristourne partner API",
    "DESCRIPTION": "Members take part, are grouped, earn and spend points.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PATH_CONVERTER_OVERRIDES": {"code": CODE_PATH_SCHEMA},
    "COMPONENT_SPLIT_PATCH": False,
    # The hook that pulls enums out expects serializers; structs describe their own.
    "POSTPROCESSING_HOOKS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "oauth2": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES}},
            },
            "client": {
                "type": "http",
                "scheme": "basic",
                "description": "The partner's client_id and client_secret.",
            },
            "member": {
                "type": "http",
                "scheme": "bearer",
                "description": "The bearer of an identification, or the member's cookie.",
            },
        }
    },
}

# --- Jobs: a periodic task that nobody ran in time is caught up with once, up to this late ------------------

PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 2 * 24 * 3600}

# --- Mail: members' sign-in links; printed where nothing is configured ---------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "Ristourne <no-reply@localhost>")

# --- Pages and files ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
# Developers' files are served from where they are, production's from where collectstatic put them.
STATIC_ROOT = None if DEBUG else VAR_DIR / "static"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
UNFOLD = {
    "SITE_TITLE": "Ristourne",
    "SITE_HEADER": "Ristourne",
    "SITE_SYMBOL": "loyalty",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/icon.svg")}
    ],
    "STYLES": [lambda request: static("css/office.css")],
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "config.sidebar.navigation"},
    # The accent of our other pages; white on 600 has a contrast of more than 5 to 1.
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180)",
            "100": "oklch(95.3% .04 180)",
            "200": "oklch(91% .07 180)",
            "300": "oklch(84% .09 180)",
            "400": "oklch(74% .1 180)",
            "500": "oklch(60% .1 180)",
            "600": "oklch(47% .09 178)",
            "700": "oklch(41% .08 178)",
            "800": "oklch(36% .07 178)",
            "900": "oklch(31% .055 178)",
            "950": "oklch(22% .04 180)",
        }
    },
}

# --- Transport ----------------------------------------------------------------------------------------

TRUST_PROXY = flag("TRUST_PROXY", False)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers ask without TLS
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
# Only a server that nobody reaches from elsewhere may do without, such as the demo on 127.0.0.1.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = flag("SECURE_COOKIES", not DEBUG)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.views.form_refused"

# --- Logs: one JSON line per event in production, plain lines for developers --------------------------

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = logging_config(as_json=flag("LOG_JSON", not DEBUG), level=LOG_LEVEL)
