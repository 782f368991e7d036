"""The purposes a site may have for cookies, and what each means to Google's tags.

A purpose groups services by why they store or read something. `necessary` always
runs and is never asked about: Directive 2002/58/EC art. 5(3) exempts storage that is
strictly necessary for a service the person asked for.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """Why something is stored on, or read from, a visitor's device."""

    NECESSARY = "necessary"
    FUNCTIONAL = "functional"
    ANALYTICS = "analytics"
    MARKETING = "marketing"


OPTIONAL: Final = (Purpose.FUNCTIONAL, Purpose.ANALYTICS, Purpose.MARKETING)

# Google Consent Mode v2: every signal is ruled by one purpose.
_CONSENT_MODE: Final[Mapping[str, Purpose]] = {
    "ad_storage": Purpose.MARKETING,
    "ad_user_data": Purpose.MARKETING,
    "ad_personalization": Purpose.MARKETING,
    "analytics_storage": Purpose.ANALYTICS,
    "functionality_storage": Purpose.FUNCTIONAL,
    "personalization_storage": Purpose.FUNCTIONAL,
    "security_storage": Purpose.NECESSARY,
}


def consent_mode(*, purposes: Mapping[Purpose, bool]) -> dict[str, str]:
    """Say in Google Consent Mode v2 signals what may run.

    A purpose that the mapping does not name is denied.
    """
    return {
        signal: "granted" if purposes.get(purpose, False) else "denied"
        for signal, purpose in _CONSENT_MODE.items()
    }
