"""The composition root: every setting, read from the environment.

Defaults are those of one machine with nothing configured: SQLite, a cache in the
process, and keys and data in `var/`. What production needs is on unless DEBUG is.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Any

from django.utils.csp import CSP

from settings import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
CONSENT_DATA_DIR = Path(env.text("CONSENT_DATA_DIR") or BASE_DIR / "var")

DEBUG = env.flag("DEBUG", default=False)
DEMO = env.flag("DEMO", default=False)
SECRET_KEY = env.kept_secret(
    "SECRET_KEY", CONSENT_DATA_DIR, lambda: secrets.token_urlsafe(50)
)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
# The path of a site's own host that its proxy hands on to us, without the path itself.
FORCE_SCRIPT_NAME = env.path("FORCE_SCRIPT_NAME") or None
_UNDER = f"{FORCE_SCRIPT_NAME or ''}/"

INSTALLED_APPS = [
    "consent.apps.ConsentConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "consent.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "consent.middleware.LanguageMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "consent.middleware.ConsentMiddleware",
]
ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    """The database, durable: what was answered survives a power cut."""
    found = env.database("DATABASE_URL", f"sqlite:///{CONSENT_DATA_DIR}/db.sqlite3")
    options = found.setdefault("OPTIONS", {})
    if found["ENGINE"].endswith("sqlite3"):
        options["transaction_mode"] = "IMMEDIATE"
        options.setdefault("timeout", 10)
        found.setdefault("CONN_MAX_AGE", 60)
        options["init_command"] = (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA recursive_triggers=ON;"
        )
    else:
        # django-environ hands the words of a URL on as text.
        if "pool" in options:
            options["pool"] = str(options["pool"]).lower() in {"1", "true", "yes", "on"}
        pooled = options.get("pool", False)
        found.setdefault("CONN_MAX_AGE", 0 if pooled else 60)
        found["CONN_HEALTH_CHECKS"] = True
        # A server that does not answer is told of, not waited for.
        options.setdefault("connect_timeout", 10)
    return found


DATABASES = {"default": _database()}
CACHES = {"default": env.cache("CACHE_URL")}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "consent:sign-in"
LOGIN_REDIRECT_URL = "consent:cookie-preferences-settings"
LOGOUT_REDIRECT_URL = "consent:home"

LANGUAGE_CODE = "en"
# The official languages of the European Union, then others, each by its own name.
LANGUAGES = [
    ("bg", "Български"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("et", "Eesti"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("ga", "Gaeilge"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("it", "Italiano"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("mt", "Malti"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sv", "Svenska"),
    ("ar", "العربية"),
    ("fr-ca", "Français (Canada)"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("id", "Bahasa Indonesia"),
    ("is", "Íslenska"),
    ("ja", "日本語"),
    ("ka", "ქართული"),
    ("ko", "한국어"),
    ("mk", "Македонски"),
    ("nb", "Norsk bokmål"),
    ("pt-br", "Português (Brasil)"),
    ("ru", "Русский"),
    ("sq", "Shqip"),
    ("sr", "Српски"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("vi", "Tiếng Việt"),
    ("zh-hans", "简体中文"),
    ("zh-hant", "繁體中文"),
]
LOCALE_PATHS = [BASE_DIR / "consent" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = CONSENT_DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_MAX_AGE = 300

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Names that no other program of a host has: `session` is Flask's, `csrftoken` Django's.
SESSION_COOKIE_NAME = "consent_session"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = _UNDER
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_NAME = "consent_csrf"
CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = [rf"^{_UNDER[1:]}(healthz|readyz)$"]
# Under a path of a site's own host it is for that host to say.
SECURE_HSTS_SECONDS = env.number(
    "SECURE_HSTS_SECONDS", 0 if DEBUG or FORCE_SCRIPT_NAME else 31_536_000
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag(
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True
)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=True)

# --- geolocation -------------------------------------------------------------------
GEOIP_PATH = env.text("GEOIP_PATH")
GEOIP_ANONYMOUS_PATH = env.text("GEOIP_ANONYMOUS_PATH")
GEOIP_MAX_AGE_DAYS = env.number("GEOIP_MAX_AGE_DAYS", 400)
GEOIP_ACCOUNT_ID = env.text("GEOIP_ACCOUNT_ID")
GEOIP_LICENSE_KEY = env.text("GEOIP_LICENSE_KEY")
GEOIP_EDITION = env.text("GEOIP_EDITION", "GeoLite2-City")
GEOIP_DOWNLOAD_URL = env.text("GEOIP_DOWNLOAD_URL")
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")
TRUSTED_PROXY_HEADER = env.one_of(
    "TRUSTED_PROXY_HEADER", ("X-Forwarded-For", "Forwarded")
)
GEO_COUNTRY_HEADER = env.text("GEO_COUNTRY_HEADER")
GEO_SUBDIVISION_HEADER = env.text("GEO_SUBDIVISION_HEADER")

# --- consent -----------------------------------------------------------------------
CONSENT_COOKIE_NAME = env.text("CONSENT_COOKIE_NAME", "consent")
CONSENT_COOKIE_DOMAIN = env.text("CONSENT_COOKIE_DOMAIN")
CONSENT_SIGNING_KEY = env.kept_secret(
    "CONSENT_SIGNING_KEY",
    CONSENT_DATA_DIR,
    lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    # Where a container's disk does not last, every start would make another key.
    unless=""
    if DEBUG
    else "Make one with manage.py make_signing_key FILE, keep it safe, and name the "
    "file in CONSENT_SIGNING_KEY_FILE.",
)
CONSENT_KEY_FILES = [
    env.secret_file(name, CONSENT_DATA_DIR)
    for name in ("CONSENT_SIGNING_KEY", "CONSENT_RETIRING_KEY")
]
# Set for a while when the key changes: it then signs checkpoints beside the new one.
CONSENT_RETIRING_KEY = env.text("CONSENT_RETIRING_KEY")
CONSENT_CHECKPOINT_DIR = Path(
    env.text("CONSENT_CHECKPOINT_DIR") or CONSENT_DATA_DIR / "checkpoints"
)
# By this vouched persons are known; without it, and outside DEBUG, nobody is.
CONSENT_IDENTITY_KEY = (
    env.kept_secret(
        "CONSENT_IDENTITY_KEY", CONSENT_DATA_DIR, lambda: secrets.token_urlsafe(32)
    )
    if DEBUG
    else env.text("CONSENT_IDENTITY_KEY")
)
CONSENT_RETENTION_DAYS = env.number("CONSENT_RETENTION_DAYS", 1095)
CONSENT_SEAL = env.one_of("CONSENT_SEAL", ("inline", "worker"))
CONSENT_RULE_OVERRIDES = env.json_list("CONSENT_RULE_OVERRIDES")
# Cookies of the tool that visitors answered before (docs/import.md); none by default.
CONSENT_IMPORT_COOKIES = env.json_list("CONSENT_IMPORT_COOKIES")
# Who outside vouches for checkpoints (docs/ledger.md); nobody is asked by default.
CONSENT_TIMESTAMP_URL = env.text("CONSENT_TIMESTAMP_URL")
CONSENT_TIMESTAMP_CA = env.text("CONSENT_TIMESTAMP_CA")
CONSENT_WITNESSES = env.json_list("CONSENT_WITNESSES")
CONSENT_ANCHOR_SECONDS = env.number("CONSENT_ANCHOR_SECONDS", 3600)
# For projects that mount the app (README): here sites are made in the administration.
CONSENT_SITE: dict[str, Any] | None = None
CONSENT_INSERT = "server"

# --- telemetry ---------------------------------------------------------------------
TRACKING_STRATEGY = env.one_of("TRACKING_STRATEGY", ("logging", "segment"))
SEGMENT_WRITE_KEY = env.text("SEGMENT_WRITE_KEY")
SEGMENT_HOST = env.text("SEGMENT_HOST")
# Present with any value, the empty one included, means: send nothing.
DO_NOT_TRACK = "DO_NOT_TRACK" in os.environ

CONSENT_SETTING_PROBLEMS = env.PROBLEMS
