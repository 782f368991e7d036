"""Where a request comes from: a header of a trusted proxy, else the geo database.

A content delivery network knows the country of its visitor; its header is believed only
when a trusted proxy handed the request on, and then stands over the database. A value
that is not exactly one code of a real place means that the place is unknown, whatever
the database says: the network knew, and said that it does not know.
"""

import re
from dataclasses import replace
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from consent import rulebook
from consent.core.jurisdictions import Location, Source
from consent.geolocation import locate
from consent.visitor.address import client_address, from_trusted_proxy

# Letters are held against these before they are made capitals: "ß" becomes "SS" then.
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}")
_PLACE: Final = re.compile(r"([A-Za-z]{2})(?:-([A-Za-z0-9]{1,3}))?")


def locate_request(request: HttpRequest) -> Location:
    """The location of a request; unknown wherever anything is unsure."""
    country = _header(request, settings.GEO_COUNTRY_HEADER)
    located = locate(client_address(request))
    if country is None:
        return located
    told = _told(country, _header(request, settings.GEO_SUBDIVISION_HEADER) or "")
    # The anonymiser database speaks about the address itself, so it still counts.
    return replace(told, anonymous=located.anonymous)


def region_named(text: str | None) -> str | None:
    """The code of the region that a visitor named, or None for what is no place."""
    match = _PLACE.fullmatch(text.strip()) if text else None
    country = _place(match[1]) if match else None
    if match is None or country is None:
        return None
    return f"{country}-{match[2].upper()}" if match[2] else country


def declared(location: Location, *places: str | None) -> Location:
    """Add the regions (`region_named`) that the visitor declared, now and before.

    They add protection and remove none: the rule of the result is the combination of
    all places (rule 10). Where nothing was known the first declared region is shown,
    and the unknown place still counts.
    """
    regions = dict.fromkeys(place for place in places if place is not None)
    if not regions:
        return location
    also = tuple(dict.fromkeys((*location.also, *regions)))
    if location.country is not None:
        return replace(location, also=also)
    first = next(iter(regions))
    return Location(
        country=first.partition("-")[0],
        subdivision=first if "-" in first else None,
        source=Source.DECLARED,
        also=tuple(place for place in also if place != first),
        anonymous=True,
        database=location.database,
    )


def _header(request: HttpRequest, name: str) -> str | None:
    """The value of a configured header of a trusted proxy; None where there is none."""
    if not name or not from_trusted_proxy(request):
        return None
    return request.headers.get(name)


def _told(country: str, subdivision: str) -> Location:
    letters = country.strip()
    code = _place(letters) if _COUNTRY.fullmatch(letters) else None
    if code is None:
        return Location(source=Source.UNKNOWN)
    return Location(
        country=code,
        subdivision=_subdivision(letters, code, subdivision.strip()),
        source=Source.HEADER,
    )


def _subdivision(said: str, country: str, code: str) -> str | None:
    """A full ISO 3166-2 code; some networks send only the part after the dash."""
    before, dash, after = code.rpartition("-")
    match = _PLACE.fullmatch(f"{country}-{after}")
    whole = not dash or before.upper() in {said.upper(), country}
    return match[0].upper() if match and whole else None


def _place(letters: str) -> str | None:
    """The code under which the rule book keeps a country; None for no real place."""
    rules = rulebook.load().rules
    code = rules.canonical(letters.upper())
    return code if code in rules.periods else None
