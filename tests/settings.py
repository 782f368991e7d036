"""The product's settings as the tests run them: quick, and in a folder of their own.

The address the requests come from is a trusted proxy that says, like a content delivery
network, where its visitors are; geo databases are MaxMind's public test data.
"""

import base64
import os
import tempfile
from pathlib import Path

_KEPT = {"DATABASE_URL", "CONSENT_DATA_DIR"}
_NAMES = (
    *("DEBUG", "DEMO", "DO_NOT_TRACK", "ALLOWED_HOSTS", "CACHE_URL"),
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SEGMENT_WRITE_KEY", "SEGMENT_HOST"),
    *("TRACKING_STRATEGY", "TRUSTED_PROXIES", "TRUSTED_PROXY_HEADER"),
)
# What the person at the keyboard has configured is no part of a test.
for _name in tuple(os.environ):
    _plain = _name.removesuffix("_FILE")
    ours = _plain in _NAMES or _plain.startswith(("CONSENT_", "GEO", "SECURE_"))
    if ours and _name not in _KEPT:
        del os.environ[_name]
# Keys, unpacked databases and collected files never reach the checkout.
os.environ["CONSENT_DATA_DIR"] = tempfile.mkdtemp(prefix="consent-tests-")
os.environ["CONSENT_SIGNING_KEY"] = base64.b64encode(
    b"a key of the tests alone, 32 b.."
).decode()

from settings import *  # noqa: E402, F403

_GEOIP = Path(__file__).parent / "data" / "geoip"

GEOIP_PATH = str(_GEOIP / "GeoIP2-City-Test.mmdb")
GEOIP_ANONYMOUS_PATH = str(_GEOIP / "GeoIP2-Anonymous-IP-Test.mmdb")
GEOIP_MAX_AGE_DAYS = 0
TRUSTED_PROXIES = ["127.0.0.1"]
GEO_COUNTRY_HEADER = "CF-IPCountry"
GEO_SUBDIVISION_HEADER = "CF-Region-Code"
SECURE_SSL_REDIRECT = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Files as they lie in the checkout, so that nothing has to be collected first.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
