"""The demo's site and policy: an honest example of what an editor publishes."""

from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_noop as _

from consent import languages

# English first: the default.
_LANGUAGES: Final = sorted(
    (code for code, _name in settings.LANGUAGES if languages.offered(code)),
    key=lambda code: code != languages.SOURCE,
)

SITE: Final[dict[str, Any]] = {
    "slug": "default",
    "name": "Harbour Bakery",
    "hosts": ["127.0.0.1", "localhost", "[::1]"],
    "languages": _LANGUAGES,
    # Nobody has reviewed these: the demo shows them all the same.
    "unreviewed_languages": [code for code in _LANGUAGES if code != languages.SOURCE],
    "controller_name": "Harbour Bakery Ltd",
    "controller_address": "1 Quay Street, Exampletown",
    "controller_contact": "privacy@bakery.example",
    "privacy_policy_url": "https://bakery.example/privacy",
}


def _texts(message: str) -> dict[str, str]:
    """A message in each language."""
    return {code: languages.translated(message, code) for code in _LANGUAGES}


POLICY: Final[dict[str, Any]] = {
    "purposes": {"functional": {}, "analytics": {}, "marketing": {}},
    "services": [
        {
            "slug": "chat",
            "purpose": "functional",
            "name": "Oven Chat",
            "provider": "Oven Chat GmbH",
            "description": _texts(_("A chat with our staff.")),
            "cookies": [{"name": "ovenchat", "days": 30, "description": {}}],
        },
        {
            "slug": "statistics",
            "purpose": "analytics",
            "name": "Own statistics",
            "provider": "Harbour Bakery Ltd",
            "description": _texts(
                _("Counts visits for us alone; nothing is passed on.")
            ),
            "cookies": [{"name": "crumbs", "days": 390, "description": {}}],
        },
        {
            "slug": "video",
            "purpose": "marketing",
            "name": "Video player",
            "provider": "Example Video Inc.",
            "description": _texts(
                _("Shows films of another company, which learns what you watch.")
            ),
            "cookies": [{"name": "vid_*", "days": 180, "description": {}}],
        },
        {
            "slug": "adverts",
            "purpose": "marketing",
            "name": "Advertising",
            "provider": "Example Ads Inc.",
            "description": _texts(_("Shows our offers on other sites.")),
            "cookies": [{"name": "_ads", "days": 90, "description": {}}],
        },
    ],
    "rules": {},
}
