"""Vouching for somebody who signed in with us: a token that their browser hands over.

Needs PyJWT: `pip install consent-client[identity]`.
"""

import base64
import hashlib
import re
import secrets
import time
from typing import Final, Literal

# The backend takes five minutes at most; its clock may be slow.
SECONDS: Final = 120
SHORTEST_SECRET: Final = 32


def browser_of(cookie: str) -> str:
    """How a browser is called outside, by its `consent_id` cookie.

    >>> browser_of("0123456789abcdef0123456789abcdef.signature")[:16]
    '3eb1bd439947eb76'
    """
    random = cookie.partition(".")[0]
    if not re.fullmatch("[0-9a-f]{32}", random):
        raise ValueError("It is no value of a consent_id cookie.")
    return hashlib.sha256(random.encode()).hexdigest()


def identity_token(
    *,
    key: str | bytes,
    kid: str,
    algorithm: Literal["EdDSA", "ES256", "HS256"],
    issuer: str,
    audience: str,
    user: str,
    browser: str,
    minor: bool = False,
) -> str:
    """A token for `POST /api/v1/identities`: it counts once, in that browser, soon.

    `key` is a private key (PEM), or for HS256 the secret as the backend printed it;
    `kid`, `algorithm`, `issuer` and `audience` are those of the key in the backend.
    """
    import jwt  # noqa: PLC0415 - only who vouches for people needs it

    claims: dict[str, object] = {
        "iss": issuer,
        "aud": audience,
        "sub": user,
        "exp": int(time.time()) + SECONDS,
        "jti": secrets.token_urlsafe(24),
        "browser": browser,
    }
    if minor:
        claims["minor"] = True
    signing = _secret(key) if algorithm == "HS256" else key
    return jwt.encode(claims, signing, algorithm, headers={"kid": kid})


def _secret(text: str | bytes) -> bytes:
    """The bytes of a secret in base64: 32 or more (RFC 7518 section 3.2)."""
    secret = base64.b64decode(text, validate=True)
    if len(secret) < SHORTEST_SECRET:
        raise ValueError("A secret has 32 bytes or more.")
    return secret
