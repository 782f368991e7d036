"""What the demo explains beside each page: who is visiting, and why they see this."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from consent import geolocation
from consent.decision import Consent
from consent.views.reasons import why
from consent.views.words import BANNERS, REASONS
from consent.views.writes import with_query

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
    if not _playing():
        return {}
    decision = consent.decision
    return {
        "demo": {
            "visitors": VISITORS,
            **_played(consent),
            "location": consent.location,
            "why": why(consent),
            "decision": decision,
            "banner": BANNERS[decision.banner],
            "reason": REASONS[decision.reason],
            "purposes": {str(p): on for p, on in decision.purposes.items()},
            "signals": consent.signals,
            "now": consent.now,
            "geoip": geolocation.status(),
        }
    }


def wanted(request: HttpRequest) -> str | None:
    """Where the demo's form leads: its fields joined to one `?as=`."""
    if not _playing() or "who" not in request.GET:
        return None
    who = request.GET["who"].strip() or "unknown"
    signal = ",gpc" if request.GET.get("gpc") else ""
    day = request.GET.get("day", "").strip()
    return with_query(
        reverse("consent:home"), **{"as": f"{who}{signal}{'@' if day else ''}{day}"}
    )


def _playing() -> bool:
    return bool(settings.DEMO and settings.DEBUG)


def _played(consent: Consent) -> dict[str, Any]:
    """Whom the demo plays now, as its list and its form show it."""
    name = consent.disguise.name if consent.disguise else ""
    titles = dict(VISITORS)
    return {
        "as": name,
        "title": titles.get(name) or name,
        "who": name.partition("@")[0].partition(",")[0],
        "day": name.partition("@")[2],
    }
