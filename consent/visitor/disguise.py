"""Playing somebody else, in the demo only: `?as=` says whom.

`?as=FR`, `?as=US-CA,gpc`, `?as=tor`, `?as=unknown`, `?as=81.2.69.160`, and a date
behind `@`: `?as=CL@2026-12-01`. Callers ask only where DEMO and DEBUG are set.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from django.http import HttpRequest

from consent.core.jurisdictions import Location, Source
from consent.core.signals import Signals
from consent.geolocation import locate

_CODE: Final = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Disguise:
    """Whom the demo plays: a place, signals, and perhaps a day."""

    name: str
    location: Location
    signals: Signals
    now: datetime | None


def disguise_of(request: HttpRequest) -> Disguise | None:
    """Whom `?as=` names; None where it is absent or empty."""
    text = request.GET.get("as", "").strip()
    if not text:
        return None
    who, _, day = text.partition("@")
    place, *signals = [word.strip() for word in who.split(",")]
    return Disguise(
        name=text,
        location=_location(place),
        signals=Signals(gpc="gpc" in signals, dnt="dnt" in signals),
        now=_noon(day),
    )


def _location(place: str) -> Location:
    try:
        return locate(ip_address(place))
    except ValueError:
        pass
    if place.lower() == "tor":
        return Location(anonymous=True)
    if not _CODE.fullmatch(place):
        return Location()
    code = place.upper()
    found = Location(country=code[:2], source=Source.GEOIP, database="demo")
    return replace(found, subdivision=code) if "-" in code else found


def _noon(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day.strip()).replace(hour=12, tzinfo=UTC)
    except ValueError:
        return None
