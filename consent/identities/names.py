"""What a vouched person is called here: a keyed hash of their name at the backend.

The name itself (`sub`: often a user's number or address) is kept nowhere, and without
the key nobody finds out whose a row is by trying names (GDPR art. 4(5)).
"""

import hashlib
import hmac
from typing import Final

from django.conf import settings

from consent.models import Site

SHORTEST_KEY: Final = 32  # bytes, as the hash has (RFC 2104 section 3)


class NoIdentityKeyError(RuntimeError):
    """`CONSENT_IDENTITY_KEY` is not set, or too short: nobody can be known."""


def identity_of(site: Site, subject: str) -> str:
    """The identity of a person on a site: 64 hexadecimal digits.

    HMAC-SHA-256 under `CONSENT_IDENTITY_KEY`, over the site's short name, a line feed
    and the subject: two sites call one person differently.
    """
    key = settings.CONSENT_IDENTITY_KEY.encode()
    if len(key) < SHORTEST_KEY:
        raise NoIdentityKeyError
    text = f"{site.slug}\n{subject}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()
