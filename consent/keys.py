"""The key that signs receipts and checkpoints (Ed25519, RFC 8032), and its name.

The key comes from `CONSENT_SIGNING_KEY`: 32 bytes in base64. A receipt is signed over a
context line and the record's canonical bytes, a checkpoint as a signed note whose text
begins with the log's origin, so that no signature made for one use can be shown for
another. While `CONSENT_RETIRING_KEY` is set, checkpoints carry that key's signature as
well: whoever knows only the old key has time to learn the new one.
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

from consent.core import signed_note
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

    def note_line(self, text: str, *, name: str) -> str:
        """The signature line of a signed note (C2SP signed-note), under a key name."""
        digest = signed_note.key_hash(
            name=name, algorithm=signed_note.ED25519, public=self.public_bytes
        )
        signature = self.private.sign(text.encode())
        return signed_note.signature_line(name=name, hash=digest, signature=signature)

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.public.public_bytes_raw()


def signing_key() -> SigningKey:
    """The key in force; KeyProblemError where the setting is not a key."""
    return _parse(settings.CONSENT_SIGNING_KEY, "CONSENT_SIGNING_KEY")


def retiring_key() -> SigningKey | None:
    """The key before it, where it still signs checkpoints beside the new one."""
    text = settings.CONSENT_RETIRING_KEY
    return _parse(text, "CONSENT_RETIRING_KEY") if text else None


def new_key() -> str:
    """A fresh key, as `CONSENT_SIGNING_KEY` holds it: 32 random bytes in base64."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    return base64.b64encode(seed).decode()


def sign_note(text: str, *, name: str) -> str:
    """A signed note over a checkpoint's text, by the key in force and the retiring one.

    The key's name is the log's origin (C2SP tlog-checkpoint).
    """
    signers = [key for key in (signing_key(), retiring_key()) if key is not None]
    lines = [key.note_line(text, name=name) for key in signers]
    return signed_note.signed_note(text=text, lines=lines)


@lru_cache(maxsize=4)
def _parse(text: str, name: str) -> SigningKey:
    try:
        seed = base64.b64decode(text, validate=True)
        private = Ed25519PrivateKey.from_private_bytes(seed)
    except (ValueError, binascii.Error) as error:
        raise KeyProblemError(
            f"{name} must be 32 random bytes in base64, as manage.py make_signing_key "
            "makes them."
        ) from error
    public = private.public_key().public_bytes_raw()
    return SigningKey(private=private, id=key_id(public))


def key_id(public: bytes) -> str:
    """What receipts call a key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


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


def verify_note(note: signed_note.Note, *, name: str, public: bytes) -> bool:
    """Whether a signed note carries a good signature of a key under a name."""
    digest = signed_note.key_hash(
        name=name, algorithm=signed_note.ED25519, public=public
    )
    key = Ed25519PublicKey.from_public_bytes(public)
    for line in note.signatures:
        if (line.name, line.hash) != (name, digest):
            continue
        try:
            key.verify(line.signature, note.text.encode())
        except InvalidSignature:
            continue
        return True
    return False
