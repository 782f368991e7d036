"""Who is asked: a time-stamp authority and witnesses, as the settings name them."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.conf import settings

from consent.core.signed_note import (
    COSIGNATURE,
    NoteError,
    VerifierKey,
    parse_verifier_key,
)

# What `Anchor.name` holds.
_LONGEST_NAME: Final = 255
_MEMBERS: Final = {"url", "key"}


class OutsiderSettingError(ValueError):
    """A setting that nobody can be asked by; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamp authority, by its host, and whose signatures are believed."""

    url: str
    name: str
    trusted: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness and its key; one without address was retired: it is only verified."""

    url: str
    key: VerifierKey

    @property
    def name(self) -> str:
        return self.key.name


def anybody_asked() -> bool:
    """Whether the settings name anybody who is to be asked."""
    witnesses = any(entry.get("url") for entry in settings.CONSENT_WITNESSES)
    return bool(settings.CONSENT_TIMESTAMP_URL) or witnesses


def setting_problems() -> Iterator[str]:
    """A sentence for each of the settings that is wrong."""
    readers: tuple[Callable[[], object], ...] = (authority, trusted, witnesses)
    found = []
    for read in readers:
        try:
            read()
        except OutsiderSettingError as error:
            found.append(str(error))
    yield from dict.fromkeys(found)


def authority() -> Authority | None:
    """The time-stamp authority; None where there is none to ask.

    OutsiderSettingError for an address that cannot be, or nobody to believe.
    """
    url = settings.CONSENT_TIMESTAMP_URL
    if not url:
        return None
    # Most public authorities answer http alone. Nobody on the way can do more than keep
    # an answer away: it is signed, and bound to what was asked; and that is a hash.
    host = _host(url, "CONSENT_TIMESTAMP_URL", encrypted=False)
    believed = trusted()
    if not believed:
        raise OutsiderSettingError(
            "CONSENT_TIMESTAMP_URL is set, but CONSENT_TIMESTAMP_CA is not: name a PEM "
            "file with the root certificate of the authority, and any between."
        )
    return Authority(url=url, name=host, trusted=believed)


def trusted() -> tuple[Certificate, ...]:
    """The certificates that time-stamps are held against; empty where none are named.

    OutsiderSettingError for a file without a root: OpenSSL ends no chain elsewhere.
    """
    path = settings.CONSENT_TIMESTAMP_CA
    if not path:
        return ()
    name = f"CONSENT_TIMESTAMP_CA names {path}, which"
    try:
        found = load_pem_x509_certificates(Path(path).read_bytes())
    except OSError as error:
        raise OutsiderSettingError(
            f"{name} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise OutsiderSettingError(f"{name} holds no certificate in PEM.") from error
    if not any(certificate.subject == certificate.issuer for certificate in found):
        raise OutsiderSettingError(f"{name} holds no root certificate, only others.")
    return tuple(found)


def witnesses() -> tuple[Witness, ...]:
    """The witnesses, retired ones included, in the order in which they are named.

    OutsiderSettingError for one that cannot be understood, or stands there twice.
    """
    found: list[Witness] = []
    for number, entry in enumerate(settings.CONSENT_WITNESSES, start=1):
        one = _witness(entry, f"CONSENT_WITNESSES: witness {number}")
        for other in found:
            if one.key == other.key or (
                one.url and other.url and one.name == other.name
            ):
                raise OutsiderSettingError(
                    f"CONSENT_WITNESSES: {one.name} is asked twice; leave one out, or "
                    "the address of the one that was retired."
                )
        found.append(one)
    return tuple(found)


def _witness(entry: Mapping[str, Any], which: str) -> Witness:
    wrong = entry.keys() - _MEMBERS
    texts = all(isinstance(value, str) for value in entry.values())
    if wrong or "key" not in entry or not texts:
        raise OutsiderSettingError(
            f'{which} must be {{"url": "https://…/", "key": "name+hash+base64"}}.'
        )
    try:
        key = parse_verifier_key(entry["key"])
    except NoteError as error:
        raise OutsiderSettingError(f"{which}: its key is wrong: {error}.") from error
    if key.algorithm != COSIGNATURE:
        raise OutsiderSettingError(
            f"{which}: {key.name} is the key of a log; a witness's is of type 04."
        )
    if len(key.name) > _LONGEST_NAME:
        raise OutsiderSettingError(f"{which}: its name is too long.")
    url = entry.get("url", "")
    if url:
        _host(url, which)
    return Witness(url=url, key=key)


def _host(url: str, which: str, *, encrypted: bool = True) -> str:
    """The host of an address that may be asked; OutsiderSettingError for any other."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise OutsiderSettingError(f"{which}: {url!r} is no address.") from None
    plain = url.isascii() and url.isprintable() and " " not in url
    named = parts.username is None and not parts.fragment
    if not host or not plain or not named or len(host) > _LONGEST_NAME:
        raise OutsiderSettingError(
            f"{which}: {url!r} is no address such as https://host/path."
        )
    unencrypted = not encrypted or _near(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and unencrypted):
        raise OutsiderSettingError(f"{which}: {url!r} must begin with https://.")
    return host


def _near(host: str) -> bool:
    """Whether a host may be asked without encryption: this machine, or under DEBUG."""
    if settings.DEBUG or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
