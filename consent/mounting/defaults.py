"""What the settings are where a project says nothing.

Strict ones, and those of one machine: keys and data lie in `var/consent` beside the
project. What production needs is said by the system checks.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from consent import kept_secrets
from consent.keys import new_key

_PLAIN: Final[Mapping[str, Any]] = {
    "DEMO": False,
    "GEOIP_PATH": "",
    "GEOIP_ANONYMOUS_PATH": "",
    "GEOIP_MAX_AGE_DAYS": 400,
    "GEOIP_ACCOUNT_ID": "",
    "GEOIP_LICENSE_KEY": "",
    "GEOIP_EDITION": "GeoLite2-City",
    "GEOIP_DOWNLOAD_URL": "",
    "TRUSTED_PROXIES": (),
    "TRUSTED_PROXY_HEADER": "X-Forwarded-For",
    "GEO_COUNTRY_HEADER": "",
    "GEO_SUBDIVISION_HEADER": "",
    "CONSENT_COOKIE_NAME": "consent",
    "CONSENT_COOKIE_DOMAIN": "",
    "CONSENT_RETIRING_KEY": "",
    "CONSENT_IDENTITY_KEY": "",
    "CONSENT_RETENTION_DAYS": 1095,
    "CONSENT_SEAL": "inline",
    "CONSENT_RULE_OVERRIDES": (),
    "CONSENT_IMPORT_COOKIES": (),
    "CONSENT_TIMESTAMP_URL": "",
    "CONSENT_TIMESTAMP_CA": "",
    "CONSENT_WITNESSES": (),
    "CONSENT_ANCHOR_SECONDS": 3600,
    "CONSENT_SITE": None,
    "CONSENT_INSERT": "server",
    "TRACKING_STRATEGY": "logging",
    "SEGMENT_WRITE_KEY": "",
    "SEGMENT_HOST": "",
    "DO_NOT_TRACK": False,
    "CONSENT_SETTING_PROBLEMS": (),
}


def fill() -> None:
    """Give every setting of the product a value that the project does not set."""
    for name, value in _PLAIN.items():
        if not hasattr(settings, name):
            setattr(settings, name, value)
    _default("CONSENT_DATA_DIR", _folder)
    folder = Path(settings.CONSENT_DATA_DIR)
    _default("CONSENT_CHECKPOINT_DIR", lambda: folder / "checkpoints")
    own_key = kept_secrets.path_of("CONSENT_SIGNING_KEY", folder)
    _default("CONSENT_KEY_FILES", lambda: [own_key])
    _default("CONSENT_SIGNING_KEY", lambda: _key(own_key))


def _default(name: str, value: Callable[[], Any]) -> None:
    if not hasattr(settings, name):
        setattr(settings, name, value())


def _folder() -> Path:
    """Beside the project, or where it was started."""
    return Path(getattr(settings, "BASE_DIR", Path.cwd())) / "var" / "consent"


def _key(path: Path) -> str:
    """While developing a key that is made once; else none, which is then refused.

    Where a container's disk does not last, every start would make another key.
    """
    if not settings.DEBUG and not path.exists():
        return ""
    try:
        return kept_secrets.read_or_make(path, new_key)
    except OSError:
        return ""
