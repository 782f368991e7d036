"""Tokens by which a site's backend says who somebody is (RFC 7519, RFC 8725).

The algorithm is the one of the key's row, whatever the token says. A token counts for
five minutes at most, once, and for one browser: what is stolen or pushed into another
person's browser opens nothing. Whatever is wrong with one, the caller hears one word.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from consent.models import IdentityKey, Site
from consent.secret_boxes import SecretBoxError, open_secret

LONGEST_TOKEN: Final = 4096
LONGEST_LIFE: Final = timedelta(minutes=5)
SHORTEST_SECRET: Final = 32  # bytes (RFC 7518 section 3.2)
PURPOSE: Final = "identity key"
_HEADERS: Final = {"alg", "kid", "typ"}
_REQUIRED: Final = ["iss", "aud", "sub", "exp", "jti", "browser"]
_NUMBER: Final = re.compile(r"[\x21-\x7e]{8,128}")
_BROWSER: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_SUBJECT: Final = 255


class InvalidTokenError(ValueError):
    """A token that vouches for nobody; the text is for the log of the site's own."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a token says: who, in which browser, and whether they are a child.

    `digest` names the token, so that it counts once, `until` when it is over anyway.
    """

    subject: str
    browser: str
    minor: bool
    digest: str
    until: datetime


def read_token(token: str, *, site: Site, now: datetime) -> Vouched:
    """Who a token of a site's backend vouches for; InvalidTokenError for any other."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise InvalidTokenError("it is no token")
    try:
        row = _row(token, site)
        claims = jwt.decode(
            token,
            key_of(row),
            algorithms=[row.algorithm],
            audience=row.audience,
            issuer=row.issuer,
            options={"require": _REQUIRED, "strict_aud": True},
        )
    except (jwt.InvalidTokenError, KeyUnfitError, SecretBoxError) as error:
        raise InvalidTokenError(str(error)) from error
    return _vouched(claims, row, now)


def _row(token: str, site: Site) -> IdentityKey:
    header = jwt.get_unverified_header(token)
    if not set(header) <= _HEADERS:
        raise InvalidTokenError("its header says what nobody here understands")
    kid = header.get("kid")
    keys = IdentityKey.objects.filter(site=site, retired_at=None)
    row = keys.filter(kid=kid).first() if isinstance(kid, str) else None
    if row is None or header.get("alg") != row.algorithm:
        raise InvalidTokenError("no key of the site is called that and signs so")
    return row


def _vouched(claims: dict[str, Any], row: IdentityKey, now: datetime) -> Vouched:
    subject, number, browser = claims["sub"], claims["jti"], claims["browser"]
    minor, exp = claims.get("minor", False), claims["exp"]
    if type(minor) is not bool or type(exp) is not int:
        raise InvalidTokenError("minor or exp is of another kind")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise InvalidTokenError("sub is no name of 1 to 255 characters")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise InvalidTokenError("jti is no text of 8 to 128 characters")
    if not isinstance(browser, str) or not _BROWSER.fullmatch(browser):
        raise InvalidTokenError("browser is no hash")
    try:
        until = datetime.fromtimestamp(exp, UTC)
    except (OverflowError, OSError, ValueError):
        raise InvalidTokenError("exp is no time") from None
    if not now < until <= now + LONGEST_LIFE:
        raise InvalidTokenError("exp is not within five minutes")
    digest = hashlib.sha256(f"{row.kid}\n{number}".encode()).hexdigest()
    return Vouched(subject, browser, minor, digest, until)


class KeyUnfitError(ValueError):
    """The material is no key for its algorithm; the text says what is wanted."""


type Key = Ed25519PublicKey | EllipticCurvePublicKey | bytes


def key_of(row: IdentityKey) -> Key:
    """The key in a row; KeyUnfitError for none, SecretBoxError for a lost one."""
    if row.algorithm == IdentityKey.Algorithm.HS256:
        return secret_of(open_secret(row.material, purpose=PURPOSE))
    return public_of(row.material, row.algorithm)


def public_of(pem: str, algorithm: str) -> Ed25519PublicKey | EllipticCurvePublicKey:
    """A public key (PEM) for EdDSA or ES256; KeyUnfitError for any other."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnfitError("It is no public key in PEM.") from None
    edwards = algorithm == IdentityKey.Algorithm.EDDSA
    if edwards and isinstance(key, Ed25519PublicKey):
        return key
    ours = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    if not edwards and isinstance(key, EllipticCurvePublicKey) and ours:
        return key
    wanted = "Ed25519" if edwards else "P-256"
    raise KeyUnfitError(f"{algorithm} needs a public key of {wanted}.")


def secret_of(text: str) -> bytes:
    """The shared secret in base64 (either alphabet); KeyUnfitError for a short one."""
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise KeyUnfitError("It is not base64.") from None
    if len(secret) < SHORTEST_SECRET:
        raise KeyUnfitError("HS256 needs a secret of 32 random bytes or more.")
    return secret
