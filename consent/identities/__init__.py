"""Persons whom a site's own backend vouches for: their names here, and their tokens."""

from consent.identities.names import NoIdentityKeyError, identity_of
from consent.identities.tokens import InvalidTokenError, Vouched, read_token

__all__ = [
    "InvalidTokenError",
    "NoIdentityKeyError",
    "Vouched",
    "identity_of",
    "read_token",
]
