"""What the demo explains beside each page: who is visiting, and why they see this."""

from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consent import geolocation
from consent.decision import Consent

# (value of ?as=, what to call it)
VISITORS: Final = (
    ("FR", _("Paris")),
    ("GB", _("London")),
    ("CH", _("Zürich")),
    ("CA-QC", _("Québec")),
    ("US-CA", _("California")),
    ("US-CA,gpc", _("California with the signal")),
    ("US-VA", _("Virginia")),
    ("JP", _("Tokyo")),
    ("tor", _("Tor")),
    ("unknown", _("unknown place")),
)


def explained(consent: Consent) -> dict[str, Any]:
    """The demo's part of a page; empty where nobody plays anybody."""
    if not (settings.DEMO and settings.DEBUG):
        return {}
    rule = consent.rule
    return {
        "demo": {
            "visitors": VISITORS,
            "as": consent.disguise.name if consent.disguise else "",
            "location": consent.location,
            "rule": rule,
            "row": consent.published.book.row(_place(consent), consent.now.date()),
            "decision": consent.decision,
            "signals": consent.signals,
            "now": consent.now,
            "geoip": geolocation.status(),
        }
    }


def _place(consent: Consent) -> str:
    return consent.location.subdivision or consent.location.country or "*"
