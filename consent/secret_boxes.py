"""Secrets that have to be known again, and so are kept in the database encrypted.

A password is kept as a hash; what signs a webhook or opens a token cannot be. Each is
sealed (AES-256-GCM) with a key made of `SECRET_KEY` for one purpose (HKDF, RFC 5869):
a copy of the database alone tells none, and a box of one purpose opens as no other.
`SECRET_KEY_FALLBACKS` open what was sealed before the key was changed.
"""

import base64
import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_VERSION: Final = "v1."
_NONCE_BYTES: Final = 12  # NIST SP 800-38D: 96 bits, at random


class SecretBoxError(ValueError):
    """No key that there is opens this; the text says what to do."""


def seal_secret(text: str, *, purpose: str) -> str:
    """A box with a secret in it, as text for a column; never the same one twice."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(_key(settings.SECRET_KEY, purpose))
    held = cipher.encrypt(nonce, text.encode(), purpose.encode())
    return _VERSION + base64.urlsafe_b64encode(nonce + held).decode()


def open_secret(box: str, *, purpose: str) -> str:
    """The secret in a box that was sealed for this purpose, else SecretBoxError."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        found = _opened(box, key, purpose)
        if found is not None:
            return found
    raise SecretBoxError(
        "A secret in the database was sealed with a SECRET_KEY that is not set any "
        "more. Add that key to SECRET_KEY_FALLBACKS, or give the secret anew."
    )


def is_sealed_anew(box: str, *, purpose: str) -> bool:
    """Whether the `SECRET_KEY` in force opens a box, without its fallbacks."""
    return _opened(box, settings.SECRET_KEY, purpose) is not None


def _opened(box: str, key: str, purpose: str) -> str | None:
    held = _held(box)
    nonce, sealed = held[:_NONCE_BYTES], held[_NONCE_BYTES:]
    try:
        return (
            AESGCM(_key(key, purpose)).decrypt(nonce, sealed, purpose.encode()).decode()
        )
    except (InvalidTag, ValueError):
        return None


def _held(box: str) -> bytes:
    if not box.startswith(_VERSION):
        return b""
    try:
        return base64.urlsafe_b64decode(box.removeprefix(_VERSION).encode("ascii"))
    except ValueError:
        return b""


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    info = b"consent.secret-box/v1 " + purpose.encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())
