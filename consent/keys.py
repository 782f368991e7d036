"""The key that signs receipts (Ed25519, RFC 8032), and its name.

The key comes from `CONSENT_SIGNING_KEY`: 32 bytes in base64. A receipt is signed over a
context line and the record's canonical bytes, so that no signature made for one use can
be shown for another.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

from consent.core.record import RECEIPT_CONTEXT

_ENVELOPE_SECONDS = 600


class KeyProblemError(ValueError):
    """The signing key cannot be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the first 16 hexadecimal digits of its public key's hash."""

    private: Ed25519PrivateKey
    id: str

    def sign_receipt(self, canonical: bytes) -> bytes:
        """The 64-byte signature over `consent-receipt/v1` LF canonical bytes."""
        return self.private.sign(RECEIPT_CONTEXT + canonical)

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()


def signing_key() -> SigningKey:
    """The key in force; KeyProblemError where the setting is not a key."""
    return _parse(settings.CONSENT_SIGNING_KEY)


@lru_cache(maxsize=4)
def _parse(text: str) -> SigningKey:
    try:
        seed = base64.b64decode(text, validate=True)
        private = Ed25519PrivateKey.from_private_bytes(seed)
    except (ValueError, binascii.Error) as error:
        raise KeyProblemError(
            "CONSENT_SIGNING_KEY must be 32 random bytes in base64: "
            "head -c 32 /dev/urandom | base64"
        ) from error
    public = private.public_key().public_bytes_raw()
    return SigningKey(private=private, id=hashlib.sha256(public).hexdigest()[:16])


def envelope(number: str, *, browser: str) -> str:
    """A receipt's number for an address bar: it is a key, so no log may hold it.

    `browser` is what the browser's cookies will say, the choice and the visitor id: the
    envelope opens only where they say the same, whoever else reads the address.
    """
    return _fernet(browser).encrypt(number.encode()).decode()


def opened(text: str, *, browser: str) -> str:
    """The number in an envelope of the last ten minutes; empty for anything else."""
    try:
        found = _fernet(browser).decrypt(text.encode("ascii"), ttl=_ENVELOPE_SECONDS)
    except (InvalidToken, UnicodeError):
        return ""
    return found.decode()


def _fernet(browser: str) -> Fernet:
    held = hashlib.sha256(browser.encode(errors="replace")).digest()
    secret = settings.SECRET_KEY.encode()
    key = hashlib.sha256(b"consent.receipt.envelope" + held + secret).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def verify_receipt(
    *, public: Ed25519PublicKey, canonical: bytes, signature: bytes
) -> bool:
    """Whether a receipt's signature is good."""
    try:
        public.verify(signature, RECEIPT_CONTEXT + canonical)
    except InvalidSignature:
        return False
    return True
